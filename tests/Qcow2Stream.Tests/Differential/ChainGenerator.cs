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

    private static readonly int[] ExtendedClusterBits = [14, 14, 14, 14, 15, 15, 16, 16, 17, 18, 21];

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
            layers.Add(index == 0 && Chance(40) ? RawLayer() : Qcow2Layer(index, layers.LastOrDefault(), isTop: index == depth - 1));
        }

        return new ChainPlan(_seed, layers);
    }

    private LayerPlan RawLayer()
    {
        // Half of them end inside a sector.
        long length = LayerLength() + (Chance(50) ? _random.Next(SectorSize) : 0);
        CommandGenerator commands = new(_random, length, clusterSize: 4 * KiB, canCompress: false);
        return new LayerPlan
        {
            Name = LayerName(0, "raw"),
            IsRaw = true,
            Length = length,
            ClusterSize = 1,
            Commands = commands.Create(_random.Next(12)),
        };
    }

    private LayerPlan Qcow2Layer(int index, LayerPlan? backing, bool isTop)
    {
        bool isVersion2 = Chance(15);
        bool hasExtendedL2 = !isVersion2 && Chance(25);
        int clusterSize = 1 << Pick(hasExtendedL2 ? ExtendedClusterBits : ClusterBits);
        string? encryption = isTop && Chance(10) ? (Chance(50) ? "aes" : "luks") : null;
        bool hasDataFile = !isVersion2 && encryption is null && Chance(12);

        // QEMU takes no snapshots of images with a data file, and makes no compressed clusters in them.
        bool hasSnapshot = !hasDataFile && Chance(20);
        bool canCompress = !hasDataFile && encryption is null;
        long length = LayerLength();
        IReadOnlyList<string> commands =
            new CommandGenerator(_random, length, clusterSize, canCompress).Create(_random.Next(25));

        // The L1 table must cover the larger size too: not the case only where the disk ends with a table.
        bool canExceed = length % clusterSize != 0;
        string name = LayerName(index, "qcow2");
        string? dataFile = hasDataFile ? $"data{index}.raw" : null;
        return new LayerPlan
        {
            Name = name,
            IsRaw = false,
            Length = length,
            ClusterSize = clusterSize,
            Options = (isVersion2 ? $"compat=0.10,cluster_size={clusterSize}" : Version3Options(clusterSize, hasExtendedL2, hasSnapshot))
                + (dataFile is null ? "" : DataFileOptions(dataFile, hasBacking: backing is not null))
                + (encryption is null ? "" : $",encrypt.format={encryption},encrypt.key-secret=key{(encryption == "luks" ? ",encrypt.iter-time=100" : "")}"),
            BackingName = backing is null ? null : BackingName(backing.Name),

            // Where no format is recorded, the library lets a layer that it only guessed to be qcow2 name no file.
            RecordsBackingFormat = backing is null || backing.BackingName is not null || backing.DataFileName is not null || Chance(70),
            SizeExcess = canExceed && Chance(10) ? _random.Next(1, SectorSize) : 0,
            DataFileName = dataFile,
            Encryption = encryption,
            SnapshotAfter = hasSnapshot ? _random.Next(commands.Count + 1) : null,
            Commands = commands,
        };
    }

    private string Version3Options(int clusterSize, bool hasExtendedL2, bool hasSnapshot)
    {
        // A snapshot counts every cluster again, and a cluster full of compressed ones counts many already.
        int refcountBits = 1 << _random.Next(hasSnapshot ? 4 : 0, 7);
        string compression = Chance(50) ? "zlib" : "zstd";
        string lazy = Chance(25) ? "on" : "off";
        string extended = hasExtendedL2 ? ",extended_l2=on" : "";
        return $"compat=1.1,cluster_size={clusterSize},refcount_bits={refcountBits},compression_type={compression},lazy_refcounts={lazy}{extended}";
    }

    private string DataFileOptions(string name, bool hasBacking) =>
        $",data_file={name}" + (!hasBacking && Chance(50) ? ",data_file_raw=on" : "");

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
