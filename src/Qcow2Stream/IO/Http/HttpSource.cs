using BitFaster.Caching.Lru;
using Polly;
using Polly.Retry;

namespace Qcow2Stream.IO.Http;

/// <summary>What all files of a chain that come from servers share: the client, the memory, the limits and the patience.</summary>
internal sealed class HttpSource
{
    private static readonly Lazy<HttpClient> SharedClient = new(() => new HttpClient(new SocketsHttpHandler
    {
        // Each step of a redirect is judged here, and the headers go nowhere but where they are meant to go.
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),

        // What is given up is given up at once: there is no waiting for the rest of an answer.
        MaxResponseDrainSize = 0,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    });

    private readonly Uri _top;

    public HttpSource(HttpFileOptions options, Uri top)
    {
        ArgumentNullException.ThrowIfNull(top);
        Options = options;
        _top = top;
        Client = options.Client ?? SharedClient.Value;
        Blocks = new ClassicLru<(HttpHostFile, long), Block>(Math.Max(3, options.CacheBytes / Block.Size));
        Turns = new SemaphoreSlim(options.MaxRequestsAtOnce, options.MaxRequestsAtOnce);
        AheadBlocks = Math.Min(options.ReadAheadBytes, options.CacheBytes / 4) / Block.Size;
        Retry = options.MaxRetries == 0 ? ResiliencePipeline.Empty : new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = static arguments => new(arguments.Outcome.Exception is TransientHttpException),
            MaxRetryAttempts = options.MaxRetries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = options.RetryDelay,
            MaxDelay = HttpFileOptions.MaxDelay,
            DelayGenerator = static arguments => new((arguments.Outcome.Exception as TransientHttpException)?.RetryAfter),
        }).Build();
    }

    public HttpFileOptions Options { get; }

    public HttpClient Client { get; }

    /// <summary>Blocks by file and number, those used last.</summary>
    public ClassicLru<(HttpHostFile File, long Number), Block> Blocks { get; }

    /// <summary>A turn for each request that is under way.</summary>
    public SemaphoreSlim Turns { get; }

    /// <summary>How far to read ahead, in blocks.</summary>
    public int AheadBlocks { get; }

    /// <summary>The most blocks to ask for in one request.</summary>
    public int MaxRequestBlocks => Math.Max(AheadBlocks, 16);

    public ResiliencePipeline Retry { get; }

    /// <summary>Whether redirects are followed here: a caller's client that does not follow them must not be sent elsewhere with its headers.</summary>
    public bool FollowsRedirects => Options.Client is null;

    /// <summary>Adds the caller's headers to a request that goes where they are meant to go.</summary>
    public void AddHeaders(HttpRequestMessage request)
    {
        if (!IsSameOrigin(request.RequestUri!, _top))
        {
            return;
        }

        foreach ((string name, string value) in Options.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    public static bool IsSameOrigin(Uri a, Uri b) =>
        Uri.Compare(a, b, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;
}
