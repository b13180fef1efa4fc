using Qcow2Stream.Text;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// A file on a web server, read in blocks that are kept for a while. Neighbouring missing blocks are requested together;
/// where the file is read sequentially, further ones are requested before they are needed.
/// </summary>
internal sealed class HttpHostFile : HostFile
{
    private readonly HttpSource _source;
    private readonly RangeClient _client;
    private readonly RequestPlanner _planner;
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly CancellationTokenSource _closing = new();
    private volatile RemoteVersion? _version;
    private int _disposed;

    /// <summary>Initializes the file. Its server is asked when it is connected.</summary>
    /// <param name="uri">The address.</param>
    /// <param name="source">What it shares with the chain's other files.</param>
    /// <param name="judge">Says why an address that a server redirects to must not be asked; null, or giving null, if it may be.</param>
    /// <exception cref="ArgumentException">The address is not absolute, not of http or https, or names a user.</exception>
    public HttpHostFile(Uri uri, HttpSource source, Func<Uri, RemoteFileException?>? judge)
    {
        if (!uri.IsAbsoluteUri || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException("The address must be absolute, and of http or https.", nameof(uri));
        }

        if (uri.UserInfo.Length > 0)
        {
            throw new ArgumentException("The address names a user; give credentials as headers.", nameof(uri));
        }

        Uri = uri;
        Path = uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
        _source = source;
        _client = new RangeClient(uri, source, judge);
        _planner = source.PlannerOf(this);
    }

    public Uri Uri { get; }

    /// <summary>What further files of the chain share with this one.</summary>
    public HttpSource Source => _source;

    /// <summary>The address without its query, which may be a secret.</summary>
    public override string Path { get; }

    public override object Identity => Uri.GetComponents(UriComponents.HttpRequestUrl, UriFormat.UriEscaped);

    /// <inheritdoc/>
    /// <exception cref="FileNotFoundException">The server has no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The server denies access.</exception>
    /// <exception cref="Qcow2Exception">The server can't be reached, or does not do what reading by ranges needs.</exception>
    internal override async ValueTask ConnectAsync(bool async, CancellationToken cancellationToken)
    {
        if (_version is not null)
        {
            return;
        }

        if (async)
        {
            await _connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        else
        {
            _connecting.Wait(cancellationToken);
        }

        try
        {
            _version ??= await AskVersionAsync(async, cancellationToken).ConfigureAwait(false);
        }
        catch (FileNotFoundException e)
        {
            throw new FileNotFoundException($"{Path}: {e.Message}", Path, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException($"{Path}: {e.Message}", e);
        }
        catch (IOException e) when (e is RemoteFileException or TransientHttpException)
        {
            throw new Qcow2Exception($"the file can't be read from its server: {e.Message}", Path, innerException: e)
            {
                Hint = (e as RemoteFileException)?.Hint,
            };
        }
        finally
        {
            _connecting.Release();
        }
    }

    protected override long ReadLength() => Version(async: false, default).Now().Length;

    protected override int Read(long hostOffset, Span<byte> buffer)
    {
        RemoteVersion version = Version(async: false, default).Now();
        if (hostOffset >= version.Length)
        {
            return 0;
        }

        RequestPlan plan = _planner.Plan(version, hostOffset, buffer.Length);
        Start(plan.Ahead);
        if (plan.Missing is { } missing)
        {
            FillAsync(missing, async: false).Now();
        }

        plan.Count();
        int count = 0;
        try
        {
            foreach (Block block in plan.Blocks)
            {
                count += Copy(block.Arrival.GetAwaiter().GetResult(), hostOffset + count, buffer[count..]);
            }
        }
        catch (IOException) when (count > 0)
        {
            // This much is there. A request for the rest gets the error, with its position.
        }

        return count;
    }

    protected override async ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        RemoteVersion version = await Version(async: true, cancellationToken).ConfigureAwait(false);
        if (hostOffset >= version.Length)
        {
            return 0;
        }

        RequestPlan plan = _planner.Plan(version, hostOffset, buffer.Length);
        Start(plan.Missing);
        Start(plan.Ahead);
        plan.Count();
        int count = 0;
        try
        {
            foreach (Block block in plan.Blocks)
            {
                ReadOnlyMemory<byte> bytes = await block.Arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
                count += Copy(bytes, hostOffset + count, buffer.Span[count..]);
            }
        }
        catch (IOException) when (count > 0)
        {
            // As above.
        }

        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            // Not disposed: requests that end meanwhile still ask it. It holds nothing once it is cancelled.
            _closing.Cancel();
        }
    }

    private async ValueTask<RemoteVersion> Version(bool async, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (_version is null)
        {
            await ConnectAsync(async, cancellationToken).ConfigureAwait(false);
        }

        return _version!;
    }

    /// <summary>Reads the first block, which gives the file's length and version.</summary>
    private async ValueTask<RemoteVersion> AskVersionAsync(bool async, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        Filling filling = _planner.PlanFirst();
        bool isKept = false;
        try
        {
            await _client.FillAsync(filling, async, either.Token).ConfigureAwait(false);
            RemoteVersion version = filling.Version!;
            if (version.Condition is null && !_source.Options.AllowUnversioned)
            {
                string reason = version.LastModified is null
                    ? "the server gives neither a strong ETag nor a Last-Modified"
                    : "the server gives no strong ETag, and a Last-Modified that is not a second older than its answer (a file modified just now can be opened in a second)";
                throw new RemoteFileException(
                    $"{reason}, so that nobody would notice if the file changed while it is read "
                    + "(to read it all the same: AllowUnversioned)",
                    hint: nameof(HttpFileOptions.AllowUnversioned));
            }

            isKept = version.Length > 0;
            return version;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(GetType().FullName);
        }
        finally
        {
            if (!isKept)
            {
                _source.Blocks.Forget(filling.Blocks[0]);
            }
        }
    }

    private void Start(Filling? filling)
    {
        if (filling is not null)
        {
            _ = FillAsync(filling, async: true).AsTask();
        }
    }

    /// <summary>Gets the bytes for all who wait for them, so none of these can cancel it. They get any error, which is then forgotten.</summary>
    private async ValueTask FillAsync(Filling filling, bool async)
    {
        try
        {
            await _client.FillAsync(filling, async, _closing.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Exception told = e is OperationCanceledException ? new ObjectDisposedException(GetType().FullName) : e;
            foreach (Block block in filling.Blocks.Skip(filling.ArrivedBlocks))
            {
                _source.Blocks.Forget(block);
                block.Failed(told);
            }
        }
    }

    private static int Copy(ReadOnlyMemory<byte> block, long hostOffset, Span<byte> buffer)
    {
        ReadOnlySpan<byte> bytes = block.Span[(int)(hostOffset % Block.Size)..];
        int count = Math.Min(bytes.Length, buffer.Length);
        bytes[..count].CopyTo(buffer);
        return count;
    }
}
