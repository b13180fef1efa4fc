namespace Qcow2Stream.Tests.Differential;

/// <summary>Makes up qemu-io commands that one layer takes without error.</summary>
internal sealed class CommandGenerator(Random random, long length, int clusterSize, bool canCompress)
{
    // Data beyond this adds time, and nothing new.
    private const int MaxData = 512 * 1024;

    // QEMU refuses to write compressed data over an allocated cluster.
    private readonly HashSet<long> _maybeTaken = [];

    private readonly HashSet<long> _compressed = [];

    // Once a compressed cluster is given up, QEMU may put the next one where by then a table or other data is.
    private bool _hasFreedCompressed;

    public IReadOnlyList<string> Create(int count) =>
        length == 0 ? [] : [.. Enumerable.Range(0, count).Select(_ => Next())];

    private string Next()
    {
        int kind = random.Next(100);
        if (kind < 30 && canCompress && !_hasFreedCompressed && Compressed() is { } compressed)
        {
            return compressed;
        }

        (long offset, long count) = Range(kind < 65 ? MaxData : length);
        _hasFreedCompressed |= Clusters(offset, count).Any(_compressed.Contains);
        if (kind >= 92)
        {
            return $"discard {offset} {count}";
        }

        _maybeTaken.UnionWith(Clusters(offset, count));
        return kind switch
        {
            < 50 => $"write -P {Pattern()} {offset} {count}",
            < 58 => $"write -s {ChainPlan.NoiseFile} {offset} {count}",
            < 65 => $"write -s {ChainPlan.TextFile} {offset} {count}",
            < 78 => $"write -z {offset} {count}",
            _ => $"write -z -u {offset} {count}",
        };
    }

    /// <summary>Some whole clusters, the last one cut off by the end of the disk; null if one of them may be taken.</summary>
    private string? Compressed()
    {
        long clusters = (length + clusterSize - 1) / clusterSize;
        long first = random.NextInt64(clusters);
        long most = Math.Max(1, MaxData / clusterSize);
        long count = Math.Min(random.NextInt64(Math.Min(most, 12)) + 1, clusters - first);
        long offset = first * clusterSize;
        long bytes = Math.Min(count * clusterSize, length - offset);
        if (Clusters(offset, bytes).Any(_maybeTaken.Contains))
        {
            return null;
        }

        _maybeTaken.UnionWith(Clusters(offset, bytes));
        _compressed.UnionWith(Clusters(offset, bytes));
        return random.Next(6) switch
        {
            0 or 1 => $"write -c -P {Pattern()} {offset} {bytes}",
            2 => $"write -c -s {ChainPlan.NoiseFile} {offset} {bytes}",
            _ => $"write -c -s {ChainPlan.TextFile} {offset} {bytes}",
        };
    }

    private (long Offset, long Count) Range(long most)
    {
        long offset = Aligned(random.NextInt64(length), Unit());
        long limit = Math.Min(length - offset, random.Next(4) == 0 ? most : Math.Min(most, 6L * clusterSize));
        long count = random.NextInt64(limit) + 1;
        long aligned = Aligned(count, Unit());
        return (offset, aligned > 0 ? aligned : count);
    }

    private int Unit() => random.Next(10) switch
    {
        0 => 1,
        < 5 => 512,
        _ => clusterSize,
    };

    private static long Aligned(long value, int unit) => value / unit * unit;

    private int Pattern() => random.Next(1, 256);

    private IEnumerable<long> Clusters(long offset, long count)
    {
        for (long cluster = offset / clusterSize; cluster * clusterSize < offset + count; cluster++)
        {
            yield return cluster;
        }
    }
}
