using Qcow2Stream.Text;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// A file on a web server, read in blocks that are kept for a while. Neighbouring blocks that are missing are asked for in
/// one request; where the file is read from front to back, further ones are asked for before they are wanted.
/// </summary>
internal sealed class HttpHostFile : HostFile
{
    private readonly HttpSource _source;
    private readonly RangeClient _client;
    private readonly ReadAhead _ahead;
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly CancellationTokenSource _closing = new();
    private volatile RemoteVersion? _version;
    private int _disposed;

    /// <summary>Initializes the file. Its server is asked when it is connected.</summary>
    /// <param name="uri">The address.</param>
    /// <param name="source">What it shares with the chain's other files.</param>
    /// <param name="judge">Says why an address that a server redirects to must not be asked; null, or giving null, if it may be.</param>
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
        if (hostOffset >= version.Length)
        {
            return 0;
        }

        List<Block> blocks = Find(version, hostOffset, buffer.Length, out Filling? missing, out Filling? further);
        StartFurther(further);
        if (missing is not null)
        {
            FillAsync(missing, async: false).Now();
        }

        int count = 0;
        try
        {
            foreach (Block block in blocks)
            {
                count += Copy(block.Arrival.GetAwaiter().GetResult(), hostOffset + count, buffer[count..]);
            }
        }
        catch (IOException) when (count > 0)
        {
            // So much is there. Whoever asks for the rest is told what is wrong with it, and where.
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

        List<Block> blocks = Find(version, hostOffset, buffer.Length, out Filling? missing, out Filling? further);
        if (missing is not null)
        {
            _ = FillAsync(missing, async: true).AsTask();
        }

        StartFurther(further);
        int count = 0;
        try
        {
            foreach (Block block in blocks)
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

    /// <summary>Reads the first block, which tells how long the file is and which version.</summary>
    private async ValueTask<RemoteVersion> AskVersionAsync(bool async, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        Block block = new(this, 0, Block.Size);
        Filling filling = new([block], version: null, _source.Slots.LeaseLater(1));
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
                    + "(to read it all the same: AllowUnversioned, or --allow-unversioned)");
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
                _source.Blocks.Forget(block);
            }
        }
    }

    /// <summary>Finds what is wanted, as far as it is there or on its way; or else what of it is to be asked for in one request.</summary>
    /// <param name="version">The version that was opened.</param>
    /// <param name="hostOffset">The first byte that is wanted; the file has it.</param>
    /// <param name="wantedBytes">How many are.</param>
    /// <param name="missing">Has to be filled; null if nothing is missing.</param>
    /// <param name="further">What to read ahead after that; null if nothing.</param>
    /// <returns>One block or more, from the one with the first byte on.</returns>
    private List<Block> Find(RemoteVersion version, long hostOffset, int wantedBytes, out Filling? missing, out Filling? further)
    {
        long first = hostOffset / Block.Size;
        long last = (hostOffset + Math.Min(wantedBytes, version.Length - hostOffset) - 1) / Block.Size;
        long end = Math.Min(last + 1, first + _source.MaxRequestBlocks);
        missing = null;
        further = null;
        List<Block> found = [];
        lock (_source.Blocks.Gate)
        {
            long? starter = null;
            while (first + found.Count < end && _source.Blocks.Want(this, first + found.Count) is { } block)
            {
                found.Add(block);
                if (block.StartsNext)
                {
                    block.StartsNext = false;
                    starter = block.Key.Number;
                }
            }

            if (found.Count == 0)
            {
                return Ask(version, first, end, out missing, out further);
            }

            if (starter is { } number)
            {
                further = Further(version, room => _ahead.Beyond(number, end, room));
            }
        }

        return found;
    }

    /// <summary>Makes a request of the blocks that are missing from <paramref name="first"/> on. Under the gate.</summary>
    private List<Block> Ask(RemoteVersion version, long first, long end, out Filling missing, out Filling? further)
    {
        List<Block> wanted = Expect(version, first, (int)(end - first), isAhead: false);
        int count = wanted.Count;
        if (_source.Slots.TryLease(count) is { } lease)
        {
            missing = new Filling(wanted, version, lease);
            further = Further(version, room => (first + count, _ahead.After(first, count, room)));
            return wanted;
        }

        // It waits for others, as do those behind it: fewer requests that are larger are done sooner.
        int room = Math.Min(_source.Blocks.AheadRoom, _source.MaxRequestBlocks - count);
        List<Block> ahead = Expect(version, first + count, _ahead.After(first, count, room), isAhead: true);
        List<Block> all = [.. wanted, .. ahead];
        missing = new Filling(all, version, _source.Slots.LeaseLater(all.Count));
        further = null;
        return wanted;
    }

    /// <summary>Makes a request of blocks that nobody wants yet, where a turn is free for it, and not the last one. Under the gate.</summary>
    /// <param name="version">The version that was opened.</param>
    /// <param name="choose">Gets for how many blocks there is room, and says which to read.</param>
    private Filling? Further(RemoteVersion version, Func<int, (long First, int Count)> choose)
    {
        RequestSlots.Lease? lease = _source.Slots.TryLeaseAhead(Math.Min(_source.AheadBlocks, _source.Blocks.AheadRoom));
        (long first, int count) = choose(lease?.Blocks ?? 0);
        List<Block> blocks = Expect(version, first, count, isAhead: true);
        if (lease is null || blocks.Count == 0)
        {
            lease?.Dispose();
            return null;
        }

        lease.Shrink(blocks.Count);
        return new Filling(blocks, version, lease);
    }

    /// <summary>Takes note of blocks from <paramref name="first"/> on, up to the first that is there already. Under the gate.</summary>
    private List<Block> Expect(RemoteVersion version, long first, int count, bool isAhead)
    {
        List<Block> blocks = [];
        for (long number = first; blocks.Count < count && number * Block.Size < version.Length && !_source.Blocks.Has(this, number); number++)
        {
            Block block = new(this, number, (int)Math.Min(Block.Size, version.Length - (number * Block.Size)))
            {
                StartsNext = isAhead && blocks.Count == 0,
            };
            _source.Blocks.Expect(block, isAhead);
            blocks.Add(block);
        }

        return blocks;
    }

    private void StartFurther(Filling? further)
    {
        if (further is not null)
        {
            _ = FillAsync(further, async: true).AsTask();
        }
    }

    /// <summary>Gets the bytes for all who wait for them, so none of these can cancel it. What goes wrong is told to them, and then forgotten.</summary>
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
