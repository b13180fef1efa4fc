namespace Qcow2Stream.Tests.Differential;

/// <summary>Makes up chains: every choice comes out of one seeded source.</summary>
internal sealed class ChainGenerator
{
    private const int SectorSize = 512;
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    // Small clusters more often: more of them fit into a small disk.
    private static readonly int[] ClusterBits =
        [9, 9, 9, 9, 9, 10, 10, 11, 11, 12, 12, 12, 12, 12, 12, 13, 13, 14, 14, 14, 15, 15, 16, 16, 16, 16, 17, 18, 19, 20, 21];

    private readonly int _seed;
    private readonly Random _random;
    private readonly long _typicalLength;

    private ChainGenerator(int seed)
    {
        _seed = seed;
        _random = new Random(seed);
        _typicalLength = _random.Next(20) switch
        {
            < 4 => _random.Next(64 * KiB),
            < 11 => _random.Next(MiB),
            < 19 => _random.Next(4 * MiB),
            _ => _random.Next(48 * MiB),
        };
    }

    public static ChainPlan Create(int seed) => new ChainGenerator(seed).Create();

    private ChainPlan Create()
    {
        int depth = _random.Next(6) + 1;
        List<LayerPlan> layers = [];
        for (int index = 0; index < depth; index++)
        {
            layers.Add(index == 0 && Chance(40) ? RawLayer() : Qcow2Layer(index, layers.LastOrDefault()));
        }

        return new ChainPlan(_seed, layers);
    }

    private LayerPlan RawLayer()
    {
        // Half of them end inside a sector.
        long length = LayerLength() + (Chance(50) ? _random.Next(SectorSize) : 0);
        CommandGenerator commands = new(_random, length, clusterSize: 4 * KiB, isRaw: true);
        return new LayerPlan
        {
            Name = LayerName(0, "raw"),
            IsRaw = true,
            Length = length,
            ClusterSize = 1,
            Commands = commands.Create(_random.Next(12)),
        };
    }

    private LayerPlan Qcow2Layer(int index, LayerPlan? backing)
    {
        int clusterSize = 1 << Pick(ClusterBits);
        bool isVersion2 = Chance(20);
        long length = LayerLength();
        CommandGenerator commands = new(_random, length, clusterSize, isRaw: false);

        // The L1 table must cover the larger size too: not the case only where the disk ends with a table.
        bool canExceed = length % clusterSize != 0;
        return new LayerPlan
        {
            Name = LayerName(index, "qcow2"),
            IsRaw = false,
            Length = length,
            ClusterSize = clusterSize,
            Options = isVersion2 ? $"compat=0.10,cluster_size={clusterSize}" : Version3Options(clusterSize),
            BackingName = backing is null ? null : BackingName(backing.Name),

            // Where no format is recorded, the library lets a layer that it only guessed to be qcow2 name no file.
            RecordsBackingFormat = backing is null || backing.BackingName is not null || Chance(70),
            SizeExcess = canExceed && Chance(10) ? _random.Next(1, SectorSize) : 0,
            Commands = commands.Create(_random.Next(25)),
        };
    }

    private string Version3Options(int clusterSize)
    {
        int refcountBits = 1 << _random.Next(7);
        string compression = Chance(50) ? "zlib" : "zstd";
        string lazy = Chance(25) ? "on" : "off";
        return $"compat=1.1,cluster_size={clusterSize},refcount_bits={refcountBits},compression_type={compression},lazy_refcounts={lazy}";
    }

    private long LayerLength()
    {
        long length = _random.Next(20) switch
        {
            < 10 => _typicalLength,
            < 14 => _random.NextInt64(_typicalLength + 1),
            < 19 => _typicalLength + _random.NextInt64((_typicalLength / 2) + 1),
            _ => 0,
        };
        return length / SectorSize * SectorSize;
    }

    private string LayerName(int index, string extension) => _random.Next(10) switch
    {
        0 => $"layer {index}.{extension}",
        1 => $"Lücke-{index}.{extension}",
        _ => $"layer{index}.{extension}",
    };

    private string BackingName(string name) => _random.Next(5) switch
    {
        0 => $"file:{name}",
        1 => $"{QemuChain.DirectoryMark}/{name}",
        2 => $"file:{QemuChain.DirectoryMark}/{name}",
        _ => name,
    };

    private bool Chance(int percent) => _random.Next(100) < percent;

    private int Pick(int[] choices) => choices[_random.Next(choices.Length)];
}
