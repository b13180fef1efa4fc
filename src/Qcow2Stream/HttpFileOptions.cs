using Qcow2Stream.HostFiles.Http;

namespace Qcow2Stream;

/// <summary>How images are read from a web server. Immutable once made; one instance may open any number of files.</summary>
public sealed record HttpFileOptions
{
    /// <summary>
    /// Sends the requests: a <see cref="SocketsHttpHandler"/> or <see cref="HttpClientHandler"/> whose
    /// <c>AllowAutoRedirect</c> is false, alone or behind <see cref="DelegatingHandler"/>s. Null, the default, takes one that
    /// all chains share and that keeps no cookies. Redirects are still followed, one by one: each address is checked
    /// before it is requested, and <see cref="Headers"/> go to no other server. What handlers add by themselves (credentials,
    /// cookies) goes where they send it. They stay the caller's, and are asked to send synchronously where a chain is read so.
    /// </summary>
    /// <exception cref="ArgumentException">The handler follows redirects by itself, or is of a kind where that is unknown.</exception>
    public HttpMessageHandler? Handler
    {
        get;
        init => field = value is not null && RedirectSwitch.FaultOf(value) is { } fault
            ? throw new ArgumentException(fault, nameof(value))
            : value;
    }

    /// <summary>
    /// Headers to send, such as <c>Authorization</c>, by name. They go to the scheme, host and port of the address that is
    /// opened, and nowhere else, whatever redirects and images say. They are copied. Default: none.
    /// </summary>
    /// <exception cref="ArgumentNullException">The value is null.</exception>
    /// <exception cref="ArgumentException">
    /// A name is given twice, isn't valid for a header, describes content, or is one that is set here (<c>Range</c>,
    /// <c>If-Range</c> and other conditions, <c>Accept-Encoding</c>, <c>Host</c> and the like); or a value has line breaks, or
    /// characters outside ASCII.
    /// </exception>
    public IReadOnlyDictionary<string, string> Headers
    {
        get;
        init => field = Copy(value);
    } = new Dictionary<string, string>();

    /// <summary>
    /// The memory for what was read and what is on its way, in bytes, for all files of a chain that come from servers; 1 MiB or
    /// more. A request asks for a quarter of it at most, and half of it is the most that is on its way. Default: 32 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1 MiB.</exception>
    public int CacheBytes
    {
        get;
        init => field = InRange(value, 1 << 20, int.MaxValue);
    } = 32 << 20;

    /// <summary>
    /// How far to read ahead where a file is read sequentially, in bytes; also the most that is asked for in one
    /// request, unless that is below 1 MiB. 0 turns reading ahead off. An eighth of <see cref="CacheBytes"/> at most. Default: 4 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or above 64 MiB.</exception>
    public int ReadAheadBytes
    {
        get;
        init => field = InRange(value, 0, 64 << 20);
    } = 4 << 20;

    /// <summary>
    /// How many requests may be under way at once for a chain; 1 to 64. Reading ahead leaves one of them to readers that need
    /// something now. Default: 6, as in web browsers.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 1 to 64.</exception>
    public int MaxRequestsAtOnce
    {
        get;
        init => field = InRange(value, 1, 64);
    } = 6;

    /// <summary>
    /// How often a request is sent again after a failure that may be temporary: a broken connection, too many requests (429), a
    /// server's errors (500, 502, 503, 504) and time limits. 0 to 100, for all answers that a range takes. Default: 4. What has already arrived is not requested again.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 0 to 100.</exception>
    public int MaxRetries
    {
        get;
        init => field = InRange(value, 0, 100);
    } = 4;

    /// <summary>
    /// How long to wait before the first retry, about; each further one waits twice as long, but no more than 30 seconds.
    /// A server's <c>Retry-After</c> takes precedence, up to the same limit. Default: half a second.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or above 30 seconds.</exception>
    public TimeSpan RetryDelay
    {
        get;
        init => field = value >= TimeSpan.Zero && value <= MaxDelay
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "The delay must be from 0 to 30 seconds.");
    } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long a server may send nothing, or too little (<see cref="MinBytesPerSecond"/>), before the request counts as
    /// failed. Default: 30 seconds.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from a millisecond to a day.</exception>
    public TimeSpan IdleTimeout
    {
        get;
        init => field = value >= TimeSpan.FromMilliseconds(1) && value <= TimeSpan.FromDays(1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "The time must be from a millisecond to a day.");
    } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The least that a server must send, in bytes per second, over each <see cref="IdleTimeout"/> in which a request is under way;
    /// 0 for none, so that one byte in each such time is enough. A server that is slower counts as failed, as one that
    /// sends nothing does. Default: 1024.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or above 1 MiB.</exception>
    public int MinBytesPerSecond
    {
        get;
        init => field = InRange(value, 0, 1 << 20);
    } = 1024;

    /// <summary>
    /// Where servers may redirect requests to, at most 10 times in a row; never from https to http. What decides is the address
    /// that is connected to, not the name, which may mean another one each time. The server of a file's own address is
    /// chosen by the caller, as are those of <see cref="FollowPolicy.Addresses"/>, and may be at any; but if all
    /// addresses that its name has at first are public, then it is connected to at public ones only, as long as the chain is
    /// open. With <see cref="HttpRedirectPolicy.Any"/>, no address is judged. Redirects of files that images name must be allowed by
    /// <see cref="Qcow2OpenOptions.Follow"/> as well. Default: <see cref="HttpRedirectPolicy.Public"/>.
    /// </summary>
    /// <remarks>
    /// Not public are the addresses of this host and its networks: loopback, link-local, private, shared (100.64.0.0/10) and
    /// unique local ones, multicast, and whatever else is reserved, also where an IPv6 address stands for one of them. A
    /// connection that a proxy makes, or a <see cref="Handler"/> of the caller's, can't be judged like this: only addresses in figures
    /// and <c>localhost</c> are refused then, not names, and the proxy's or handler's own rules must do the rest.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value isn't one of the enumeration's.</exception>
    public HttpRedirectPolicy FollowRedirects
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "There is no such policy.");
    } = HttpRedirectPolicy.Public;

    /// <summary>
    /// Connects to public addresses only, for the address that is opened and for whatever images and servers name: for services
    /// that open addresses of their users. Judged as for <see cref="FollowRedirects"/>. Default: false.
    /// </summary>
    public bool RequirePublicAddresses { get; init; }

    /// <summary>
    /// Reads files for which the server gives neither a strong <c>ETag</c> nor a <c>Last-Modified</c> that is a second older than
    /// its answer: a file that was modified just now may be modified again, with the same date. If such a file is replaced by one of
    /// the same length, what is read is a mixture of both. False, the default, refuses them.
    /// </summary>
    public bool AllowUnversioned { get; init; }

    internal static HttpFileOptions Default { get; } = new();

    internal static TimeSpan MaxDelay { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Says what is wrong with a header for <see cref="Headers"/>, for a message that says where it came from; null if nothing is.</summary>
    /// <param name="name">The header's name.</param>
    /// <param name="value">The header's value. It is not repeated in the answer, as it may be a secret.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static string? GetHeaderFault(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(value);
        return RequestHeader.FaultOf(name, value);
    }

    private static Dictionary<string, string> Copy(IReadOnlyDictionary<string, string> headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        Dictionary<string, string> copy = new(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, string value) in headers)
        {
            string? fault = RequestHeader.FaultOf(name, value);
            if (fault is not null || !copy.TryAdd(name, value))
            {
                throw new ArgumentException($"A header can't be sent: {fault ?? "its name is given twice"}.", nameof(headers));
            }
        }

        return copy;
    }

    private static int InRange(int value, int min, int max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, min);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, max);
        return value;
    }
}
