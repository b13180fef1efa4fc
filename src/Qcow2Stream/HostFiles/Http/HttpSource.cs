using Polly;
using Polly.Retry;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>What all files of a chain that come from servers share: the client, the memory, the limits and the patience.</summary>
internal sealed class HttpSource
{
    private readonly Uri _top;
    private readonly RequestSlots _slots;
    private readonly int _aheadBlocks;
    private readonly int _maxRequestBlocks;

    /// <summary>Initializes the source.</summary>
    /// <param name="options">The caller's options.</param>
    /// <param name="top">The address that is opened.</param>
    /// <param name="allocate">Makes the memory of a block; null for the usual.</param>
    /// <param name="connector">Makes the connections if the options have no handler; null for the usual.</param>
    /// <param name="time">What patience is measured with; null for the system's.</param>
    public HttpSource(
        HttpFileOptions options, Uri top, Func<int, byte[]>? allocate = null, Connector? connector = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(top);
        Options = options;
        _top = top;
        Time = time ?? TimeProvider.System;
        Destinations = options.Handler is { } handler
            ? new Destinations(options, ClientOf(handler))
            : new Destinations(options, connector ?? Connector.Shared);
        int blocks = options.CacheBytes / Block.Size;
        Blocks = new BlockCache(blocks, allocate ?? (length => GC.AllocateUninitializedArray<byte>(length)));

        // Half of the memory, at most, is for what is on its way.
        _slots = new RequestSlots(options.MaxRequestsAtOnce, blocks / 2);

        // What is read ahead now, and what was and is being read, take a quarter of the cache.
        _aheadBlocks = Math.Min(options.ReadAheadBytes / Block.Size, blocks / 8);
        _maxRequestBlocks = Math.Min(Math.Max(_aheadBlocks, 16), blocks / 4);
        Retry = options.MaxRetries == 0 ? ResiliencePipeline.Empty : new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = static arguments => new(arguments.Outcome.Exception is TransientHttpException),
            MaxRetryAttempts = options.MaxRetries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = options.RetryDelay,
            MaxDelay = HttpFileOptions.MaxDelay,
            DelayGenerator = static arguments => new((arguments.Outcome.Exception as TransientHttpException)?.RetryAfter),
            OnRetry = static _ =>
            {
                Instruments.HttpRetry();
                return default;
            },
        }).Build();
    }

    public HttpFileOptions Options { get; }

    /// <summary>Sends the requests.</summary>
    public Destinations Destinations { get; }

    public TimeProvider Time { get; }

    public BlockCache Blocks { get; }

    public ResiliencePipeline Retry { get; }

    /// <summary>Makes what plans a file's requests.</summary>
    public RequestPlanner PlannerOf(HttpHostFile file) => new(file, Blocks, _slots, _aheadBlocks, _maxRequestBlocks);

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

    /// <summary>A client that disposes nothing of the caller's, and needs no disposing itself.</summary>
    private static HttpClient ClientOf(HttpMessageHandler handler) =>
        RedirectSwitch.FaultOf(handler) is { } fault
            ? throw new InvalidOperationException($"{nameof(HttpFileOptions)}.{nameof(HttpFileOptions.Handler)} was changed since it was set. {fault}")
            : new HttpClient(handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };

    public static bool IsSameOrigin(Uri a, Uri b) =>
        Uri.Compare(a, b, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;
}
