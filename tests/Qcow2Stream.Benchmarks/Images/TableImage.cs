using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Qcow2Stream.Benchmarks.Images;

/// <summary>
/// Writes an image of hundreds of thousands of runs in one pass, as sound as QEMU's own: header, L1 table, L2 tables, data
/// area with seeded bytes, refcounts.
/// </summary>
internal sealed class TableImage
{
    private const ulong Copied = 1UL << 63;
    private const ulong ZeroFlag = 1;

    private readonly Qcow2Builder _description;
    private readonly int _clusterSize;
    private readonly int _l1Cluster = 1;
    private readonly int _l2Cluster;
    private readonly int _dataCluster;
    private readonly int _tableCluster;
    private readonly int _blockCluster;
    private readonly ushort[] _refcounts;
    private readonly IReadOnlyList<ClusterRun> _runs;

    /// <param name="description">Size and backing file; no clusters.</param>
    /// <param name="runs">In ascending order.</param>
    /// <param name="dataClusters">The size of the data area.</param>
    public TableImage(Qcow2Builder description, IReadOnlyList<ClusterRun> runs, int dataClusters)
    {
        _description = description;
        _clusterSize = description.ClusterSize;
        int perBlock = _clusterSize / sizeof(ushort);
        _l2Cluster = _l1Cluster + ClustersFor(description.NeededL1Size);
        _dataCluster = _l2Cluster + description.NeededL1Size;
        _tableCluster = _dataCluster + dataClusters;
        _blockCluster = _tableCluster + 1;
        int blocks = (_blockCluster + perBlock - 1) / (perBlock - 1);
        _refcounts = new ushort[blocks * perBlock];
        _refcounts.AsSpan(0, _dataCluster).Fill(1);
        _refcounts.AsSpan(_tableCluster, 1 + blocks).Fill(1);
        _runs = runs;
        foreach (ClusterRun run in runs.Where(run => run.Place is not null))
        {
            foreach (ref ushort references in _refcounts.AsSpan(_dataCluster + run.Place!.Value, run.Count))
            {
                checked
                {
                    references++;
                }
            }
        }
    }

    /// <param name="path">Of the image.</param>
    /// <param name="seed">Of the bytes in the data area; null leaves it a hole.</param>
    public void WriteTo(string path, ulong? seed)
    {
        using FileStream file = File.Create(path, bufferSize: 1 << 20);
        WriteAt(file, 0, new HeaderWriter(_description).Write(
            (long)_l1Cluster * _clusterSize, _description.NeededL1Size, (long)_tableCluster * _clusterSize, tableClusters: 1));
        WriteWords(file, _l1Cluster, [.. Enumerable.Range(0, _description.NeededL1Size).Select(index => Offset(_l2Cluster + index) | Copied)]);
        WriteL2Tables(file);
        if (seed is { } dataSeed)
        {
            WriteData(file, dataSeed);
        }

        int blocks = _refcounts.Length * sizeof(ushort) / _clusterSize;
        WriteWords(file, _tableCluster, [.. Enumerable.Range(0, blocks).Select(index => Offset(_blockCluster + index))]);
        ushort[] swapped = new ushort[_refcounts.Length];
        BinaryPrimitives.ReverseEndianness(_refcounts, swapped);
        WriteAt(file, (long)_blockCluster * _clusterSize, MemoryMarshal.AsBytes(swapped.AsSpan()));
    }

    private void WriteL2Tables(FileStream file)
    {
        ulong[] table = new ulong[_description.L2Entries];
        int l1Index = 0;
        foreach (ClusterRun run in _runs)
        {
            for (int index = 0; index < run.Count; index++)
            {
                (long neededTable, long entry) = Math.DivRem(run.First + index, (long)_description.L2Entries);
                while (l1Index < neededTable)
                {
                    WriteWords(file, _l2Cluster + l1Index++, table);
                    table.AsSpan().Clear();
                }

                table[entry] = run.Place is { } place ? Entry(_dataCluster + place + index) : ZeroFlag;
            }
        }

        while (l1Index < _description.NeededL1Size)
        {
            WriteWords(file, _l2Cluster + l1Index++, table);
            table.AsSpan().Clear();
        }
    }

    private void WriteData(FileStream file, ulong seed)
    {
        SeededRandom random = new(seed);
        byte[] cluster = new byte[_clusterSize];
        for (int index = _dataCluster; index < _tableCluster; index++)
        {
            random.Fill(cluster);
            WriteAt(file, (long)index * _clusterSize, cluster);
        }
    }

    private ulong Entry(int cluster) => Offset(cluster) | (_refcounts[cluster] == 1 ? Copied : 0);

    private ulong Offset(int cluster) => (ulong)cluster * (ulong)_clusterSize;

    private int ClustersFor(int words) => ((words * sizeof(ulong)) + _clusterSize - 1) / _clusterSize;

    // In whole clusters: what is not named is zero.
    private void WriteWords(FileStream file, int cluster, ReadOnlySpan<ulong> words)
    {
        ulong[] swapped = new ulong[ClustersFor(words.Length) * _clusterSize / sizeof(ulong)];
        BinaryPrimitives.ReverseEndianness(words, swapped);
        WriteAt(file, (long)cluster * _clusterSize, MemoryMarshal.AsBytes(swapped.AsSpan()));
    }

    private static void WriteAt(FileStream file, long offset, ReadOnlySpan<byte> bytes)
    {
        file.Position = offset;
        file.Write(bytes);
    }
}
