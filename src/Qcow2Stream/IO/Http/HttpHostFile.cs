namespace Qcow2Stream.IO.Http;

/// <summary>
/// A file on a web server, read in blocks that are kept for a while. Neighbouring blocks that are missing are asked for in
/// one request; where the file is read from front to back, further ones are asked for before they are wanted.
/// </summary>
internal sealed class HttpHostFile : HostFile
{
    private readonly HttpSource _source;
    private readonly RangeClient _client;
    private readonly ReadAhead _ahead;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly CancellationTokenSource _closing = new();
    private volatile RemoteVersion? _version;
    private int _disposed;

    /// <summary>Initializes the file. Its server is asked when it is connected.</summary>
    /// <param name="uri">The address.</param>
    /// <param name="source">What it shares with the chain's other files.</param>
    /// <param name="judge">Says why an address must not be asked; null, or giving null, if it may be.</param>
    /// <exception cref="ArgumentException">The address is not absolute, not of http or https, or names a user.</exception>
    public HttpHostFile(Uri uri, HttpSource source, Func<Uri, string?>? judge)
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
        _ahead = new ReadAhead(source.AheadBlocks);
    }

    public Uri Uri { get; }

    /// <summary>What further files of the chain share with this one.</summary>
    public HttpSource Source => _source;

    /// <summary>The address without its query, which may be a secret.</summary>
    public override string Path { get; }

    public override object Identity => Uri.GetComponents(UriComponents.HttpRequestUrl, UriFormat.UriEscaped);

    internal override string FullPath => Path;

    internal override FollowPolicy DefaultPolicy => FollowPolicy.SameDirectory;

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
            throw new Qcow2Exception($"the file can't be read from its server: {e.Message}", Path, innerException: e);
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
        return hostOffset >= version.Length
            ? 0
            : Copy(Find(version, hostOffset, buffer.Length, async: false).Arrival.GetAwaiter().GetResult(), hostOffset, buffer);
    }

    protected override async ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        RemoteVersion version = await Version(async: true, cancellationToken).ConfigureAwait(false);
        if (hostOffset >= version.Length)
        {
            return 0;
        }

        Task<byte[]> arrival = Find(version, hostOffset, buffer.Length, async: true).Arrival;
        return Copy(await arrival.WaitAsync(cancellationToken).ConfigureAwait(false), hostOffset, buffer.Span);
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

    /// <summary>Reads the first block, which tells how long the file is and which version.</summary>
    private async ValueTask<RemoteVersion> AskVersionAsync(bool async, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        Block block = new(Block.Size);
        RemoteVersion version;
        try
        {
            version = await _client.FillAsync(new Filling(0, [block]), opened: null, async, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(GetType().FullName);
        }

        if (version.Condition is null && !_source.Options.AllowUnversioned)
        {
            throw new RemoteFileException(
                "the server gives neither a strong ETag nor a Last-Modified, so that nobody would notice if the file changed while it is read "
                + "(to read it all the same: AllowUnversioned, or --allow-unversioned)");
        }

        if (version.Length < Block.Size)
        {
            // All there is.
            byte[] content = block.Buffer;
            block = new Block((int)version.Length);
            content.AsSpan(0, block.Buffer.Length).CopyTo(block.Buffer);
            block.Arrived();
        }

        _source.Blocks.AddOrUpdate((this, 0), block);
        return version;
    }

    /// <summary>The block that has the byte at <paramref name="hostOffset"/>; asks for it, and for those behind it that are wanted too, if it is missing.</summary>
    private Block Find(RemoteVersion version, long hostOffset, int wantedBytes, bool async)
    {
        long number = hostOffset / Block.Size;
        if (_source.Blocks.TryGet((this, number), out Block? block))
        {
            if (block.TakeStart())
            {
                ReadFurther(version, number);
            }

            return block;
        }

        Filling wanted;
        Filling? further;
        lock (_gate)
        {
            if (_source.Blocks.TryGet((this, number), out block))
            {
                return block;
            }

            long end = ((Math.Min(hostOffset + wantedBytes, version.Length) - 1) / Block.Size) + 1;
            wanted = Missing(version, number, (int)Math.Min(end - number, _source.MaxRequestBlocks))!;
            long next = number + wanted.Blocks.Count;
            further = Missing(version, next, _ahead.After(number, wanted.Blocks.Count));
        }

        StartFurther(version, further);
        if (async)
        {
            _ = FillAsync(wanted, version, async: true).AsTask();
        }
        else
        {
            FillAsync(wanted, version, async: false).Now();
        }

        return wanted.Blocks[0];
    }

    /// <summary>A reader has come to blocks that were read ahead: those behind them are next.</summary>
    private void ReadFurther(RemoteVersion version, long number)
    {
        Filling? further;
        lock (_gate)
        {
            (long next, int count) = _ahead.Beyond(number);
            further = Missing(version, next, count);
        }

        StartFurther(version, further);
    }

    private void StartFurther(RemoteVersion version, Filling? further)
    {
        if (further is not null)
        {
            further.Blocks[0].StartNext();
            _ = FillAsync(further, version, async: true).AsTask();
        }
    }

    /// <summary>Makes blocks from <paramref name="first"/> on, up to the first that is there already, and keeps them.</summary>
    /// <returns>Null if there is nothing to be read.</returns>
    private Filling? Missing(RemoteVersion version, long first, int count)
    {
        List<Block> blocks = [];
        for (long number = first; blocks.Count < count && number * Block.Size < version.Length; number++)
        {
            if (_source.Blocks.TryGet((this, number), out _))
            {
                break;
            }

            Block block = new((int)Math.Min(Block.Size, version.Length - (number * Block.Size)));
            _source.Blocks.AddOrUpdate((this, number), block);
            blocks.Add(block);
        }

        return blocks.Count > 0 ? new Filling(first, [.. blocks]) : null;
    }

    /// <summary>Gets the bytes for all who wait for them, so none of these can cancel it. What goes wrong is told to them, and then forgotten.</summary>
    private async ValueTask FillAsync(Filling filling, RemoteVersion version, bool async)
    {
        try
        {
            await _client.FillAsync(filling, version, async, _closing.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Exception told = e is OperationCanceledException ? new ObjectDisposedException(GetType().FullName) : e;
            Forget(filling);
            foreach (Block block in filling.Blocks)
            {
                block.Failed(told);
            }
        }
    }

    private void Forget(Filling filling)
    {
        lock (_gate)
        {
            for (int i = 0; i < filling.Blocks.Count; i++)
            {
                (HttpHostFile, long) key = (this, filling.FirstNumber + i);
                if (!filling.Blocks[i].Arrival.IsCompleted && _source.Blocks.TryGet(key, out Block? kept) && kept == filling.Blocks[i])
                {
                    _source.Blocks.TryRemove(key);
                }
            }
        }
    }

    private static int Copy(byte[] block, long hostOffset, Span<byte> buffer)
    {
        ReadOnlySpan<byte> bytes = block.AsSpan((int)(hostOffset % Block.Size));
        int count = Math.Min(bytes.Length, buffer.Length);
        bytes[..count].CopyTo(buffer);
        return count;
    }
}
