using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;

namespace Qcow2Stream;

/// <summary>
/// What the library reports about its work: the names of its <see cref="ActivitySource"/>, of its
/// <see cref="Meter"/>, and of everything they emit. Units and names follow OpenTelemetry's conventions.
/// </summary>
/// <remarks>
/// <para>To listen: <c>AddSource(Qcow2Diagnostics.SourceName)</c> and <c>AddMeter(Qcow2Diagnostics.MeterName)</c> in
/// OpenTelemetry's builders, an <see cref="ActivityListener"/>, a <see cref="MeterListener"/>, or
/// <c>dotnet-counters monitor --counters Qcow2Stream</c>. While nobody listens nothing is counted or timed, and nothing is allocated.</para>
/// <para>Counts are of the whole process, all chains together. No path, address or name of a file, image or snapshot is reported, nor
/// the text of an exception.</para>
/// <para>Names and meanings are part of the library's API. More may be added.</para>
/// </remarks>
public static class Qcow2Diagnostics
{
    /// <summary>The name of the <see cref="ActivitySource"/>.</summary>
    public const string SourceName = "Qcow2Stream";

    /// <summary>The name of the <see cref="Meter"/>.</summary>
    public const string MeterName = "Qcow2Stream";

    /// <summary>
    /// An activity: a chain, or one image of it alone, is opened. Tags: <see cref="ImageFormatTag"/>, <see cref="ImageLayersTag"/>, and
    /// after a failure <see cref="ErrorTypeTag"/>.
    /// </summary>
    public const string OpenActivity = "Qcow2Stream.Open";

    /// <summary>An activity: a disk, or a range of it, is copied into a stream. Tag after a failure: <see cref="ErrorTypeTag"/>.</summary>
    public const string CopyActivity = "Qcow2Stream.Copy";

    /// <summary>An activity: two disks are compared. Tag after a failure: <see cref="ErrorTypeTag"/>.</summary>
    public const string CompareActivity = "Qcow2Stream.Compare";

    /// <summary>
    /// An activity: <see cref="ImageCheck.Run"/> is enumerated, up to its end or as far as its caller goes. Tag after a failure:
    /// <see cref="ErrorTypeTag"/>.
    /// </summary>
    public const string CheckActivity = "Qcow2Stream.Check";

    /// <summary>
    /// An activity: a range of a file is asked of a web server, from the request, over redirects, to the last byte of the answer. Each
    /// attempt is one. Tags: <see cref="HttpStatusTag"/>, and after a failure <see cref="ErrorTypeTag"/>. The activities of
    /// <see cref="HttpClient"/> are its children.
    /// </summary>
    public const string HttpRequestActivity = "Qcow2Stream.HttpRequest";

    /// <summary>
    /// A counter, in bytes: what was read from host files. A file on a web server is one too, so bytes that come out of its cache count
    /// here each time; what was received is <see cref="HttpReceivedBytes"/>.
    /// </summary>
    public const string HostReadBytes = "qcow2stream.host.read";

    /// <summary>A counter: reads of host files, each by position and of one piece. One that failed doesn't count.</summary>
    public const string HostReads = "qcow2stream.host.reads";

    /// <summary>A counter: requests sent to web servers. Retries count, and each step of a redirect.</summary>
    public const string HttpRequests = "qcow2stream.http.requests";

    /// <summary>A counter: attempts that followed a failure that may be temporary, such as an answer 503 or one that was cut off.</summary>
    public const string HttpRetries = "qcow2stream.http.retries";

    /// <summary>A counter, in bytes: what web servers sent of the files, headers not counted.</summary>
    public const string HttpReceivedBytes = "qcow2stream.http.received";

    /// <summary>
    /// A counter: what was needed and found in a cache. Tag: <see cref="CacheNameTag"/>. A block that is on its way from its server
    /// counts as found.
    /// </summary>
    public const string CacheHits = "qcow2stream.cache.hits";

    /// <summary>
    /// A counter: what was needed, not found in a cache, and had to be read or decompressed. Tag: <see cref="CacheNameTag"/>. What is read
    /// ahead doesn't count.
    /// </summary>
    public const string CacheMisses = "qcow2stream.cache.misses";

    /// <summary>A counter: compressed clusters that were decompressed, as a whole or in part. Tag: <see cref="CompressionTypeTag"/>.</summary>
    public const string DecompressedClusters = "qcow2stream.decompression.clusters";

    /// <summary>A counter, in bytes: what decompressing clusters gave. Tag: <see cref="CompressionTypeTag"/>.</summary>
    public const string DecompressedBytes = "qcow2stream.decompression.output";

    /// <summary>A histogram, in seconds: how long the activities <see cref="OpenActivity"/> took. Tags: <see cref="ImageFormatTag"/>, <see cref="ErrorTypeTag"/>.</summary>
    public const string OpenDuration = "qcow2stream.open.duration";

    /// <summary>A histogram, in seconds: how long the activities <see cref="CopyActivity"/> took. Tag: <see cref="ErrorTypeTag"/>.</summary>
    public const string CopyDuration = "qcow2stream.copy.duration";

    /// <summary>A histogram, in seconds: how long the activities <see cref="CompareActivity"/> took. Tag: <see cref="ErrorTypeTag"/>.</summary>
    public const string CompareDuration = "qcow2stream.compare.duration";

    /// <summary>
    /// A histogram, in seconds: how long the activities <see cref="CheckActivity"/> took, what the caller did between two findings
    /// included. Tag: <see cref="ErrorTypeTag"/>.
    /// </summary>
    public const string CheckDuration = "qcow2stream.check.duration";

    /// <summary>
    /// A histogram, in seconds: how long the activities <see cref="HttpRequestActivity"/> took. Tags: <see cref="HttpStatusTag"/>,
    /// <see cref="ErrorTypeTag"/>.
    /// </summary>
    public const string HttpRequestDuration = "qcow2stream.http.request.duration";

    /// <summary>A tag: which cache; <see cref="TablesCache"/>, <see cref="ClustersCache"/> or <see cref="BlocksCache"/>.</summary>
    public const string CacheNameTag = "qcow2stream.cache.name";

    /// <summary>A value of <see cref="CacheNameTag"/>: the L1, L2 and refcount tables of an image, in pieces of up to 64 KiB.</summary>
    public const string TablesCache = "tables";

    /// <summary>A value of <see cref="CacheNameTag"/>: compressed clusters of a chain that were decompressed. A read of a whole one isn't cached, and is a miss each time.</summary>
    public const string ClustersCache = "clusters";

    /// <summary>A value of <see cref="CacheNameTag"/>: blocks of files on web servers.</summary>
    public const string BlocksCache = "blocks";

    /// <summary>A tag: how clusters are compressed, <c>zlib</c> or <c>zstd</c>.</summary>
    public const string CompressionTypeTag = "qcow2stream.compression.type";

    /// <summary>A tag: the top image's format by QEMU's name, such as <c>qcow2</c>. There is none if opening failed.</summary>
    public const string ImageFormatTag = "qcow2stream.image.format";

    /// <summary>A tag: how many layers were opened, 1 or more. There is none if opening failed.</summary>
    public const string ImageLayersTag = "qcow2stream.image.layers";

    /// <summary>A tag: the status code of a web server's answer. There is none if no answer came.</summary>
    public const string HttpStatusTag = "http.response.status_code";

    /// <summary>A tag of what failed: the status code of a web server's answer if that is what failed, otherwise the exception's type with its namespace.</summary>
    public const string ErrorTypeTag = "error.type";

    /// <summary>
    /// Whether the library reports anything at all. True, unless the program's switch <c>Qcow2Stream.Qcow2Diagnostics.IsSupported</c> says
    /// false: in a trimmed or native program, none of this code is then left
    /// (<c>&lt;RuntimeHostConfigurationOption Include="Qcow2Stream.Qcow2Diagnostics.IsSupported" Value="false" Trim="true" /&gt;</c>).
    /// </summary>
    [FeatureSwitchDefinition("Qcow2Stream.Qcow2Diagnostics.IsSupported")]
    public static bool IsSupported { get; } =
        !AppContext.TryGetSwitch("Qcow2Stream.Qcow2Diagnostics.IsSupported", out bool isSupported) || isSupported;
}
