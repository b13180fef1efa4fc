using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Follow;

/// <summary>What decides whether a file is qcow2 or raw, and what a file found by its magic may do.</summary>
public sealed class FormatChoiceTests : IDisposable
{
    private readonly ChainFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void TopFoundByItsMagic_MayNameFiles()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw", format: null);
        _files.CheckOpens();
    }

    [Fact]
    public void LayerFoundByItsMagic_MayNotNameFiles()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        string middle = _files.WriteInside("middle", ChainFiles.Overlay("base.raw"));
        _files.WriteTop("middle", format: null);
        foreach (FollowPolicy policy in new[] { FollowPolicy.SameDirectory, FollowPolicy.Directories(_files.Inside) })
        {
            var error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(_files.Top, new() { Follow = policy }));
            Assert.Equal(middle, error.ImagePath);
            Assert.Equal("base.raw", error.File.Name);
            Assert.Contains("no format is recorded", error.Message, StringComparison.Ordinal);
            Assert.Contains("qemu-img rebase -u -F", error.Message, StringComparison.Ordinal);
            Assert.Contains("FollowPolicy.Trusted", error.Message, StringComparison.Ordinal);
            Assert.Contains($"the chain: {_files.Top} -> {middle} -> base.raw", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void LayerFoundByItsMagic_MayNameFilesIfTrusted()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteInside("middle", ChainFiles.Overlay("base.raw"));
        _files.WriteTop("middle", format: null);
        using var chain = Qcow2Chain.Open(_files.Top, new() { Follow = FollowPolicy.Trusted });
        Assert.Equal(3, chain.Layers.Count);
    }

    [Fact]
    public void LayerFoundByItsMagic_MayNotNameFilesThroughAResolver()
    {
        int calls = 0;
        FollowPolicy policy = FollowPolicy.FromResolver(_ => ++calls == 1 ? new MemoryStream(ChainFiles.Overlay("base.raw")) : null);
        Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(new MemoryStream(ChainFiles.Overlay("middle", format: null)), new() { Follow = policy }));
        Assert.Equal(1, calls);
    }

    [Fact]
    public void LayerFoundByItsMagic_OpensIfItNamesNothing()
    {
        _files.WriteInside("base", ChainFiles.Overlay(null));
        _files.WriteTop("base", format: null);
        using var chain = Qcow2Chain.Open(_files.Top);
        Assert.Equal(ImageFormat.Qcow2, chain.Layers[1].Format);
    }

    [Fact]
    public void LayerBelowOneFoundByItsMagic_IsJudgedByItsOwnRecord()
    {
        // Trusted reaches the third layer; its recorded format counts there as anywhere.
        _files.WriteInside("base", ChainFiles.Overlay("deeper.raw"));
        _files.WriteInside("middle", ChainFiles.Overlay("base", "raw"));
        _files.WriteTop("middle", format: null);
        using var chain = Qcow2Chain.Open(_files.Top, new() { Follow = FollowPolicy.Trusted });
        Assert.Equal([ImageFormat.Qcow2, ImageFormat.Qcow2, ImageFormat.Raw], chain.Layers.Select(layer => layer.Format));
    }

    [Fact]
    public void RecordedRaw_WinsOverTheMagic()
    {
        byte[] below = ChainFiles.Overlay("../outside/base.raw");
        _files.WriteInside("base", below);
        _files.WriteTop("base", "raw");
        using var chain = Qcow2Chain.Open(_files.Top);
        Assert.Equal(2, chain.Layers.Count);
        Assert.Equal([.. below, .. new byte[ChainFiles.DiskSize - below.Length]], chain.ReadWholeDisk());
    }

    [Fact]
    public void RecordedQcow2_WinsOverTheMagic()
    {
        string below = _files.WriteInside("base", ChainFiles.RawDisk);
        _files.WriteTop("base", "qcow2");
        var error = Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(_files.Top));
        Assert.Contains("magic of qcow2", error.Message, StringComparison.Ordinal);
        Assert.Equal(below, error.ImagePath);
    }

    [Theory]
    [InlineData("vdi", "vdi")]
    [InlineData("QCOW2", "QCOW2")]
    [InlineData("qcow2 ", "qcow2 ")]
    [InlineData("\e[2J", @"\u001b[2J")]
    public void UnknownRecordedFormat_IsRefusedByName(string format, string shown)
    {
        string below = _files.WriteInside("base", ChainFiles.RawDisk);
        _files.WriteTop("base", format);
        var error = Assert.Throws<Qcow2UnsupportedException>(() => Qcow2Chain.Open(_files.Top));
        Assert.Contains($"the format '{shown}' is not handled", error.Message, StringComparison.Ordinal);
        Assert.Equal($"format {shown}", error.Feature);
        Assert.Equal(below, error.ImagePath);
    }

    [Fact]
    public void RawTop_IsReadAsItIs()
    {
        _files.WriteInside("top.qcow2", ChainFiles.RawDisk[..1000]);
        using var chain = Qcow2Chain.Open(_files.Top);
        Assert.Equal(ImageFormat.Raw, Assert.Single(chain.Layers).Format);
        Assert.Null(chain.Layers[0].Header);
        Assert.Equal(1024, chain.Length);
        Assert.Equal([.. GuestDisk.Filled(1000, 0x5A), .. new byte[24]], chain.ReadWholeDisk());
    }

    [Fact]
    public void TopForcedToRaw_DoesNotSeeItsHeader()
    {
        byte[] image = ChainFiles.Overlay("missing.raw");
        _files.WriteInside("top.qcow2", image);
        using var chain = Qcow2Chain.Open(_files.Top, new() { Format = ImageFormat.Raw });
        Assert.Equal(ImageFormat.Raw, Assert.Single(chain.Layers).Format);
        Assert.Equal(image, chain.ReadWholeDisk());
    }

    [Fact]
    public void TopForcedToQcow2_MustBeThat()
    {
        _files.WriteInside("top.qcow2", ChainFiles.RawDisk);
        Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(_files.Top, new() { Format = ImageFormat.Qcow2 }));
    }

    [Fact]
    public void ForcedFormat_IsTheTopsAlone()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw", format: null);
        using var chain = Qcow2Chain.Open(_files.Top, new() { Format = ImageFormat.Qcow2 });
        Assert.Equal(ImageFormat.Raw, chain.Layers[1].Format);
    }
}
