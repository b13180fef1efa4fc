namespace Qcow2Stream.Tests.Faults;

/// <summary>One use of one image, run as often as there are reads in it, with another of these going wrong each time.</summary>
internal sealed class FaultRun
{
    private readonly FaultyImage _image;
    private readonly FaultyUse _use;
    private readonly bool _isNamed;

    private FaultRun(FaultyImage image, FaultyUse use, byte[] disk, string expected, int reads)
    {
        _image = image;
        _use = use;
        _isNamed = !use.IsAsync && !image.NeedsOptions;
        Disk = disk;
        Expected = expected;
        Reads = reads;
    }

    /// <summary>The disk's bytes.</summary>
    public byte[] Disk { get; }

    /// <summary>What comes of the use where nothing goes wrong.</summary>
    public string Expected { get; }

    /// <summary>The reads that it takes to open the image and use it.</summary>
    public int Reads { get; }

    /// <summary>Runs the use once on a sound host.</summary>
    public static async Task<FaultRun> OfAsync(FaultyImage image, FaultyUse use)
    {
        FaultyHost host = image.Host();
        FaultRun run = new(image, use, [], "", 0);
        byte[] disk;
        using (Qcow2Chain chain = image.OpenStreams(image.Host()))
        {
            disk = new byte[chain.Length];
            Assert.Equal(disk.Length, chain.ReadAt(0, disk));
        }

        using (Qcow2Chain chain = await run.OpenAsync(host))
        {
            string expected = await use.Run(chain, disk, default);
            run = new FaultRun(image, use, disk, expected, host.Reads);
        }

        host.CheckAllDisposed();
        return run;
    }

    public async Task<Qcow2Chain> OpenAsync(FaultyHost host, CancellationToken cancellationToken = default) =>
        _use.IsAsync ? await _image.OpenStreamsAsync(host, cancellationToken)
        : _isNamed ? _image.OpenNamed(host)
        : _image.OpenStreams(host);

    /// <summary>The use gives the right result, or an error that names the place; afterwards the same chain gives the right one.</summary>
    public async Task CheckAsync(FaultKind kind, int read)
    {
        FaultyHost host = _image.Host();
        host.Break(kind, read);
        Qcow2Chain? chain = null;
        try
        {
            chain = await OpenAsync(host);
        }
        catch (Qcow2Exception e)
        {
            CheckError(e, kind, host.Hit);
            host.CheckAllDisposed();
            host.Heal();
            chain = await OpenAsync(host);
        }

        using (chain)
        {
            try
            {
                Assert.Equal(Expected, await _use.Run(chain, Disk, default));
            }
            catch (Qcow2Exception e)
            {
                CheckError(e, kind, host.Hit);
            }

            host.Heal();
            Assert.Equal(Expected, await _use.Run(chain, Disk, default));
        }

        host.CheckAllDisposed();
    }

    /// <summary>
    /// A read that completes only when it is cancelled: the call ends in that, so the token has reached it; and the same chain
    /// gives the right result afterwards. Reads that wait are let through, as no token reaches those.
    /// </summary>
    public async Task CancelAsync(int read)
    {
        FaultyHost host = _image.Host();
        using CancellationTokenSource source = new();
        bool wasMet = false;
        host.Reading = (number, async, token) =>
        {
            if (number != read || !async)
            {
                return Task.CompletedTask;
            }

            Assert.True(token.CanBeCanceled, "no token reached the host");
            wasMet = true;
            Task never = Task.Delay(Timeout.Infinite, token);
            source.Cancel();
            return never;
        };
        Qcow2Chain? chain = null;
        try
        {
            chain = await OpenAsync(host, source.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.True(wasMet);
            host.CheckAllDisposed();
            chain = await OpenAsync(host);
        }

        using (chain)
        {
            if (!source.IsCancellationRequested)
            {
                Exception? thrown = await Record.ExceptionAsync(async () => Assert.Equal(Expected, await _use.Run(chain, Disk, source.Token)));
                Assert.True(wasMet ? thrown is OperationCanceledException : thrown is null, $"{thrown}");
            }

            host.Reading = null;
            Assert.Equal(Expected, await _use.Run(chain, Disk, default));
        }

        host.CheckAllDisposed();
    }

    /// <summary>The chain is closed by another thread beside one of its reads: that ends the use, or comes too late for it.</summary>
    public async Task DisposeBesideAsync(int read)
    {
        FaultyHost host = _image.Host();
        Qcow2Chain? chain = null;
        Task closing = Task.CompletedTask;
        host.Reading = (number, _, _) =>
        {
            if (number >= read && chain is { } open && closing.IsCompletedSuccessfully && !IsClosed(open))
            {
                // It waits for the read that is running, and this one is.
                closing = Task.Factory.StartNew(
                    open.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                SpinWait.SpinUntil(() => IsClosed(open));
            }

            return Task.CompletedTask;
        };
        chain = await OpenAsync(host);
        Exception? thrown = await Record.ExceptionAsync(async () => Assert.Equal(Expected, await _use.Run(chain, Disk, default)));
        Assert.True(thrown is null or ObjectDisposedException, $"{thrown}");
        await closing;
        chain.Dispose();
        host.CheckAllDisposed();
    }

    private static bool IsClosed(Qcow2Chain chain)
    {
        try
        {
            _ = chain.Map(0, 0);
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private void CheckError(Qcow2Exception error, FaultKind kind, FaultHit? hit)
    {
        Assert.NotNull(hit);
        Assert.Equal(_isNamed ? hit.File : null, error.ImagePath);
        if (kind == FaultKind.IsCut)
        {
            Assert.IsType<Qcow2FormatException>(error);
            return;
        }

        Assert.Equal(kind == FaultKind.Throws ? typeof(Qcow2Exception) : typeof(Qcow2FormatException), error.GetType());
        Assert.NotNull(error.HostOffset);

        // A file that ended early does so for later reads as well, of which several run at once.
        Assert.InRange(error.HostOffset.Value, hit.Offset, kind == FaultKind.Throws ? hit.Offset + hit.Length : long.MaxValue);
        Assert.Contains($"at byte {error.HostOffset}", error.Message, StringComparison.Ordinal);
        if (kind == FaultKind.Throws)
        {
            Assert.Contains("the host has lost the file", error.Message, StringComparison.Ordinal);
            Assert.IsType<IOException>(error.InnerException);
        }
    }
}
