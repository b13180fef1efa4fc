using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Follow;

/// <summary>Loops, depth, and what a failed open leaves behind.</summary>
public sealed class ChainLimitTests : IDisposable
{
    private readonly ChainFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void ImageThatNamesItself_IsALoop()
    {
        _files.WriteTop("top.qcow2", "qcow2");
        NamedFileException error = _files.CheckRefused("the chain loops: that file is already part of it");
        Assert.Contains($"the chain: {_files.Top} -> top.qcow2", error.Message, StringComparison.Ordinal);
        Assert.Equal("top.qcow2", error.File.Name);
    }

    /// <summary>What a name means is for the file system to say; a loop is found by the file that it finds.</summary>
    [Fact]
    public void ImageThatNamesItselfInCapitals_IsALoopWhereThatIsItsName()
    {
        _files.WriteTop("TOP.QCOW2", "qcow2");
        _files.CheckRefused(File.Exists(Path.Combine(_files.Inside, "TOP.QCOW2")) ? "the chain loops" : "it does not exist");
    }

    [Fact]
    public void TwoImagesThatNameEachOther_AreALoop()
    {
        string other = _files.WriteInside("other.qcow2", ChainFiles.Overlay("./top.qcow2", "qcow2"));
        _files.WriteTop("other.qcow2", "qcow2");
        var error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(_files.Top));
        Assert.Contains("the chain loops", error.Message, StringComparison.Ordinal);
        Assert.Contains($"the chain: {_files.Top} -> {other} -> ./top.qcow2", error.Message, StringComparison.Ordinal);
        Assert.Equal(other, error.ImagePath);
    }

    [Fact]
    public void ResolverThatReturnsALayersStreamAgain_IsALoop()
    {
        using TrackedStream stream = new(ChainFiles.Overlay("itself", "qcow2"));
        var error = Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(stream, new() { Follow = FollowPolicy.FromResolver(_ => stream) }));
        Assert.Contains("the chain loops", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void ChainOfTheLargestDepth_OpensAndOneMoreDoesNot(int depth)
    {
        WriteChain(depth);
        using (var chain = Qcow2Chain.Open(_files.Top, new() { MaxChainDepth = depth }))
        {
            Assert.Equal(depth, chain.Layers.Count);
            Assert.Equal(depth - 1, Assert.Single(chain.Map()).Depth);
        }

        WriteChain(depth + 1);
        var error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(_files.Top, new() { MaxChainDepth = depth }));
        Assert.Contains($"deeper than the {depth} layers that MaxChainDepth allows", error.Message, StringComparison.Ordinal);
        Assert.Equal("MaxChainDepth", error.Hint);
        Qcow2Chain.Open(_files.Top, new() { MaxChainDepth = depth + 1 }).Dispose();
    }

    [Fact]
    public void DefaultDepth_Is64()
    {
        WriteChain(64);
        Qcow2Chain.Open(_files.Top).Dispose();
        WriteChain(65);
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(_files.Top));
    }

    [LinuxFact]
    public async Task FailedOpen_ClosesEveryFile()
    {
        (string Name, Action Prepare)[] cases =
        [
            ("damaged top", () => _files.WriteInside("top.qcow2", ChainFiles.Overlay(null).WriteU32(HeaderField.ClusterBits, 99))),
            ("missing base", () => WriteMiddle("missing.raw", "raw")),
            ("refused base", () => WriteMiddle("../outside/base.raw", "raw")),
            ("damaged base", () => WriteMiddle("base.raw", "qcow2")),
            ("base of unknown format", () => WriteMiddle("base.raw", "vmdk")),
            ("loop", () => WriteMiddle("top.qcow2", "qcow2")),
            ("directory", () => WriteMiddle(".", "qcow2")),
        ];
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        foreach ((string name, Action prepare) in cases)
        {
            prepare();
            Assert.ThrowsAny<Qcow2Exception>(() => Qcow2Chain.Open(_files.Top));
            Assert.True(!_files.OpenFiles().Any(), $"{name}: open are {string.Join(", ", _files.OpenFiles())}");
            await Assert.ThrowsAnyAsync<Qcow2Exception>(() => Qcow2Chain.OpenAsync(_files.Top));
            Assert.True(!_files.OpenFiles().Any(), $"{name}, async: open are {string.Join(", ", _files.OpenFiles())}");
        }
    }

    [LinuxFact]
    public async Task CancelledOpen_ClosesEveryFile()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Qcow2Chain.OpenAsync(_files.Top, cancellationToken: new CancellationToken(canceled: true)));
        Assert.Empty(_files.OpenFiles());
    }

    [LinuxFact]
    public void OpenChain_HoldsEveryFileUntilItIsDisposed()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        WriteMiddle("base.raw", "raw");
        using (Qcow2Chain.Open(_files.Top))
        {
            Assert.Equal(3, _files.OpenFiles().Count());
        }

        Assert.Empty(_files.OpenFiles());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FailedOpenOfStreams_DisposesThem(bool leaveOpen)
    {
        using TrackedStream top = new(ChainFiles.Overlay("middle", "qcow2"));
        using TrackedStream middle = new(ChainFiles.Overlay("base", "qcow2"));
        using TrackedStream bottom = new(ChainFiles.RawDisk);
        Qcow2OpenOptions options = new()
        {
            LeaveOpen = leaveOpen,
            Follow = FollowPolicy.FromResolver(file => file.Name == "middle" ? middle : bottom),
        };

        await Assert.ThrowsAsync<Qcow2FormatException>(() => Qcow2Chain.OpenAsync(top, options));
        Assert.Equal(!leaveOpen, top.IsDisposed);
        Assert.True(middle.IsDisposed);
        Assert.True(bottom.IsDisposed);
    }

    [Fact]
    public void RefusalByTheResolver_DisposesWhatItGaveBefore()
    {
        using TrackedStream top = new(ChainFiles.Overlay("middle", "qcow2"));
        using TrackedStream middle = new(ChainFiles.Overlay("base", "qcow2"));
        Qcow2OpenOptions options = new() { Follow = FollowPolicy.FromResolver(file => file.Name == "middle" ? middle : null) };
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(top, options));
        Assert.True(top.IsDisposed);
        Assert.True(middle.IsDisposed);
    }

    private void WriteMiddle(string backingFile, string format)
    {
        _files.WriteInside("middle.qcow2", ChainFiles.Overlay(backingFile, format));
        _files.WriteTop("middle.qcow2", "qcow2");
    }

    /// <summary>A top image and <paramref name="depth"/> - 1 layers below it.</summary>
    private void WriteChain(int depth)
    {
        for (int layer = depth - 1; layer >= 0; layer--)
        {
            byte[] image = layer == depth - 1 ? ChainFiles.Overlay(null, null) : ChainFiles.Overlay($"layer-{layer + 1}", "qcow2");
            _files.WriteInside(layer == 0 ? "top.qcow2" : $"layer-{layer}", image);
        }
    }
}
