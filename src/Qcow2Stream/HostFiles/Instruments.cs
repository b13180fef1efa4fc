using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.HostFiles;

/// <summary>
/// The library's counters. While nobody listens, counting costs a look at two fields and a branch, and allocates nothing; that
/// is why each place that counts calls a method of its own here, and all that follows the branch is kept out of line.
/// </summary>
internal static class Instruments
{
    // What opening takes, on a disk or over a network.
    private static readonly double[] Moments = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    // What passing a whole disk takes.
    private static readonly double[] Spans = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 3600, 7200];

    private static readonly Meter Meter = new(Qcow2Diagnostics.MeterName, Version);

    private static readonly Counter<long> HostReadBytes =
        Meter.CreateCounter<long>(Qcow2Diagnostics.HostReadBytes, "By", "Bytes read from host files.");

    private static readonly Counter<long> HostReads =
        Meter.CreateCounter<long>(Qcow2Diagnostics.HostReads, "{read}", "Reads of host files.");

    private static readonly Counter<long> HttpRequests =
        Meter.CreateCounter<long>(Qcow2Diagnostics.HttpRequests, "{request}", "Requests sent to web servers.");

    private static readonly Counter<long> HttpRetries =
        Meter.CreateCounter<long>(Qcow2Diagnostics.HttpRetries, "{retry}", "Attempts that followed a failure that may pass.");

    private static readonly Counter<long> HttpReceivedBytes =
        Meter.CreateCounter<long>(Qcow2Diagnostics.HttpReceivedBytes, "By", "Bytes of files that web servers sent.");

    private static readonly Counter<long> CacheHits =
        Meter.CreateCounter<long>(Qcow2Diagnostics.CacheHits, "{hit}", "What was wanted and found in a cache.");

    private static readonly Counter<long> CacheMisses =
        Meter.CreateCounter<long>(Qcow2Diagnostics.CacheMisses, "{miss}", "What was wanted and had to be read or decompressed.");

    private static readonly Counter<long> Decompressions =
        Meter.CreateCounter<long>(Qcow2Diagnostics.DecompressedClusters, "{cluster}", "Compressed clusters that were decompressed.");

    private static readonly Counter<long> DecompressedBytes =
        Meter.CreateCounter<long>(Qcow2Diagnostics.DecompressedBytes, "By", "Bytes that decompressing clusters gave.");

    private static readonly KeyValuePair<string, object?> Tables = new(Qcow2Diagnostics.CacheNameTag, Qcow2Diagnostics.TablesCache);

    private static readonly KeyValuePair<string, object?> Clusters = new(Qcow2Diagnostics.CacheNameTag, Qcow2Diagnostics.ClustersCache);

    private static readonly KeyValuePair<string, object?> Blocks = new(Qcow2Diagnostics.CacheNameTag, Qcow2Diagnostics.BlocksCache);

    private static readonly KeyValuePair<string, object?> Zlib = new(Qcow2Diagnostics.CompressionTypeTag, "zlib");

    private static readonly KeyValuePair<string, object?> Zstd = new(Qcow2Diagnostics.CompressionTypeTag, "zstd");

    public static Histogram<double> OpenDuration { get; } =
        CreateHistogram(Qcow2Diagnostics.OpenDuration, "How long opening chains took.", Moments);

    public static Histogram<double> CopyDuration { get; } =
        CreateHistogram(Qcow2Diagnostics.CopyDuration, "How long copies of disks took.", Spans);

    public static Histogram<double> CompareDuration { get; } =
        CreateHistogram(Qcow2Diagnostics.CompareDuration, "How long comparing disks took.", Spans);

    public static Histogram<double> CheckDuration { get; } =
        CreateHistogram(Qcow2Diagnostics.CheckDuration, "How long checks of images took.", Spans);

    public static Histogram<double> HttpRequestDuration { get; } =
        CreateHistogram(Qcow2Diagnostics.HttpRequestDuration, "How long web servers took to send what they were asked for.", Moments);

    /// <summary>The library's version, without the commit.</summary>
    public static string? Version => typeof(Instruments).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];

    public static void HostRead(int bytes)
    {
        // One branch, not two.
        if (Qcow2Diagnostics.IsSupported && (HostReads.Enabled | HostReadBytes.Enabled))
        {
            Count(HostReads, 1);
            Count(HostReadBytes, bytes);
        }
    }

    public static void HttpRequest()
    {
        if (Qcow2Diagnostics.IsSupported && HttpRequests.Enabled)
        {
            Count(HttpRequests, 1);
        }
    }

    public static void HttpRetry()
    {
        if (Qcow2Diagnostics.IsSupported && HttpRetries.Enabled)
        {
            Count(HttpRetries, 1);
        }
    }

    public static void HttpReceived(int bytes)
    {
        if (Qcow2Diagnostics.IsSupported && HttpReceivedBytes.Enabled)
        {
            Count(HttpReceivedBytes, bytes);
        }
    }

    public static void TableHit()
    {
        if (Qcow2Diagnostics.IsSupported && CacheHits.Enabled)
        {
            Count(CacheHits, 1, Tables);
        }
    }

    public static void TableMiss()
    {
        if (Qcow2Diagnostics.IsSupported && CacheMisses.Enabled)
        {
            Count(CacheMisses, 1, Tables);
        }
    }

    public static void ClusterHit()
    {
        if (Qcow2Diagnostics.IsSupported && CacheHits.Enabled)
        {
            Count(CacheHits, 1, Clusters);
        }
    }

    public static void ClusterMiss()
    {
        if (Qcow2Diagnostics.IsSupported && CacheMisses.Enabled)
        {
            Count(CacheMisses, 1, Clusters);
        }
    }

    public static void BlocksRead(int count, bool areKnown)
    {
        if (Qcow2Diagnostics.IsSupported && (areKnown ? CacheHits : CacheMisses) is { Enabled: true } cache)
        {
            Count(cache, count, Blocks);
        }
    }

    public static void Decompressed(Qcow2CompressionType type, int bytes)
    {
        if (Qcow2Diagnostics.IsSupported && (Decompressions.Enabled | DecompressedBytes.Enabled))
        {
            KeyValuePair<string, object?> tag = type == Qcow2CompressionType.Zstd ? Zstd : Zlib;
            Count(Decompressions, 1, tag);
            Count(DecompressedBytes, bytes, tag);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Count(Counter<long> counter, int count) => counter.Add(count);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Count(Counter<long> counter, int count, KeyValuePair<string, object?> tag) => counter.Add(count, tag);

    private static Histogram<double> CreateHistogram(string name, string description, double[] boundaries) =>
        Meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });
}
