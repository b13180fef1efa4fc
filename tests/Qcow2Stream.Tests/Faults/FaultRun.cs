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

    private void CheckError(Qcow2Exception error, FaultKind kind, FaultHit? hit)
    {
        Assert.NotNull(hit);
        Assert.Equal(_isNamed ? hit.File : null, error.ImagePath);
        if (kind == FaultKind.IsCut)
        {
            Assert.IsType<Qcow2FormatException>(error);
            return;
        }

        Assert.Equal(typeof(Qcow2Exception), error.GetType());
        Assert.NotNull(error.HostOffset);

        // A file that ended early does so for reads behind as well, of which several run at once.
        Assert.InRange(error.HostOffset.Value, hit.Offset, kind == FaultKind.Throws ? hit.Offset + hit.Length : long.MaxValue);
        Assert.Contains($"at byte {error.HostOffset}", error.Message, StringComparison.Ordinal);
        if (kind == FaultKind.Throws)
        {
            Assert.Contains("the host has lost the file", error.Message, StringComparison.Ordinal);
            Assert.IsType<IOException>(error.InnerException);
        }
    }
}
