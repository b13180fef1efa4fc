using System.Runtime.InteropServices;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Follow;

/// <summary>Links, pipes and loops: where a name leads decides, not how it looks.</summary>
public sealed partial class LinkTests : IDisposable
{
    private const string Outside = "it lies outside '";

    private readonly ChainFiles _files = new();

    public void Dispose() => _files.Dispose();

    [UnixFact]
    public void LinkThatStaysInside_IsFollowed()
    {
        _files.WriteInside("sub/base.raw", ChainFiles.RawDisk);
        _files.LinkInside("relative", "sub/base.raw");
        _files.LinkInside("absolute", Path.Combine(_files.Inside, "relative"));
        _files.LinkInside("sub/back", "../absolute");
        foreach (string name in new[] { "relative", "absolute", "sub/back" })
        {
            _files.WriteTop(name);
            _files.CheckOpens();
            using var chain = Qcow2Chain.Open(_files.Top);
            Assert.Equal(Path.Combine(_files.Inside, name), chain.Layers[1].Path);
        }
    }

    [UnixFact]
    public void LinkThatLeadsOutside_IsRefusedWhetherItsTargetExistsOrNot()
    {
        string target = _files.WriteOutside("base.raw", ChainFiles.RawDisk);
        _files.LinkInside("link", target);
        _files.WriteTop("link");
        string existing = _files.CheckRefused(Outside).Message;
        File.Delete(target);
        string missing = _files.CheckRefused(Outside).Message;
        Directory.Delete(_files.Outside);
        string missingDirectory = _files.CheckRefused(Outside).Message;

        Assert.Equal(existing, missing);
        Assert.Equal(existing, missingDirectory);
        Assert.DoesNotContain(_files.Outside, existing, StringComparison.Ordinal);
    }

    [UnixFact]
    public void RelativeLinkThatLeadsOutside_IsRefused()
    {
        _files.WriteOutside("base.raw", ChainFiles.RawDisk);
        Directory.CreateDirectory(Path.Combine(_files.Inside, "sub"));
        _files.LinkInside("sub/link", "../../outside/base.raw");
        _files.WriteTop("sub/link");
        _files.CheckRefused(Outside);
    }

    [UnixFact]
    public void DirectoryLinkThatStaysInside_IsFollowed()
    {
        _files.WriteInside("deep/sub/base.raw", ChainFiles.RawDisk);
        _files.LinkInside("short", "deep/sub");
        _files.LinkInside("again", "./short/.");
        _files.WriteTop("again/base.raw");
        _files.CheckOpens();
    }

    [UnixFact]
    public void DirectoryLinkThatLeadsOutside_IsRefused()
    {
        _files.WriteOutside("sub/base.raw", ChainFiles.RawDisk);
        _files.LinkInside("dir", "../outside");
        foreach (string name in new[] { "dir/sub/base.raw", "dir/missing", "dir/sub/../sub/base.raw" })
        {
            _files.WriteTop(name);
            _files.CheckRefused(Outside);
        }
    }

    [UnixFact]
    public void LinkBelowALinkedDirectory_IsJudgedWhereItIs()
    {
        // dir → deep/sub, and deep/sub/link → ../../base.raw: from where the link really is, that is inside.
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        Directory.CreateDirectory(Path.Combine(_files.Inside, "deep/sub"));
        _files.LinkInside("dir", "deep/sub");
        _files.LinkInside("deep/sub/link", "../../base.raw");
        _files.LinkInside("deep/sub/out", "../../../outside/base.raw");
        _files.WriteOutside("base.raw", ChainFiles.RawDisk);

        _files.WriteTop("dir/link");
        _files.CheckOpens();
        _files.WriteTop("dir/out");
        _files.CheckRefused(Outside);
    }

    [UnixFact]
    public void DotsBehindALink_DoNotLeadOut()
    {
        // By name dir/../base.raw is inside; by the host's rules, which are QEMU's, it is outside. Neither is opened: one may not be, the other isn't meant.
        _files.WriteOutside("base.raw", GuestDisk.Filled(ChainFiles.DiskSize, 0xBA));
        Directory.CreateDirectory(Path.Combine(_files.Outside, "sub"));
        _files.LinkInside("dir", "../outside/sub");
        _files.WriteTop("dir/../base.raw");
        _files.CheckRefused(Outside);

        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.CheckRefused(Outside);
    }

    /// <summary>The directory above a linked one is that of where it is, not of its name: there was another file's content.</summary>
    [LinuxTheory]
    [InlineData("dir/../base.raw")]
    [InlineData("dir/.././base.raw")]
    [InlineData("up")]
    [InlineData("deep/sub/../base.raw")]
    [InlineData("deep/../dir/..//base.raw")]
    public void DotsBehindALink_AreOfWhereItLeads(string name)
    {
        _files.WriteInside("deep/base.raw", ChainFiles.RawDisk);
        _files.WriteInside("base.raw", GuestDisk.Filled(ChainFiles.DiskSize, 0xBA));
        Directory.CreateDirectory(Path.Combine(_files.Inside, "deep/sub"));
        _files.LinkInside("dir", "deep/sub");
        _files.LinkInside("up", "dir/../base.raw");
        _files.WriteTop(name);
        _files.CheckOpens();
    }

    [UnixFact]
    public void LinkLoop_IsRefused()
    {
        _files.LinkInside("a", "b");
        _files.LinkInside("b", "a");
        _files.LinkInside("self", "self/x");
        foreach (string name in new[] { "a", "b/x", "self" })
        {
            _files.WriteTop(name);
            _files.CheckRefused("is not opened: ");
        }

        _files.WriteTop("a");
        _files.CheckRefused("too many links lead to it");
        _files.CheckRefused("it can't be opened", FollowPolicy.Trusted);
    }

    [UnixFact]
    public void LinkedDirectoryOfTheTop_MayBeReachedThroughTheLink()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw");
        string link = Path.Combine(_files.Outside, "way-in");
        Directory.CreateSymbolicLink(link, _files.Inside);
        using var chain = Qcow2Chain.Open(Path.Combine(link, "top.qcow2"));
        Assert.Equal(Path.Combine(link, "base.raw"), chain.Layers[1].Path);
        Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
    }

    [UnixFact]
    public void TopThatIsALink_NamesFilesBesideTheLink()
    {
        // As QEMU has it: the directory of the path as given, not of what the link leads to.
        string real = _files.WriteOutside("real.qcow2", ChainFiles.Overlay("base.raw"));
        _files.WriteOutside("base.raw", GuestDisk.Filled(ChainFiles.DiskSize, 0xBA));
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.LinkInside("top.qcow2", real);
        _files.CheckOpens();
    }

    [UnixFact]
    public void SecondLayerThatIsALink_NamesFilesBesideTheLink()
    {
        _files.WriteInside("sub/middle.qcow2", ChainFiles.Overlay("base.raw"));
        _files.WriteInside("sub/base.raw", GuestDisk.Filled(ChainFiles.DiskSize, 0xBA));
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.LinkInside("middle.qcow2", "sub/middle.qcow2");
        _files.WriteTop("middle.qcow2", "qcow2");
        using var chain = Qcow2Chain.Open(_files.Top);
        Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
    }

    [UnixFact]
    public void TrustedLink_IsFollowedAnywhere()
    {
        _files.LinkInside("link", _files.WriteOutside("base.raw", ChainFiles.RawDisk));
        _files.WriteTop("link");
        _files.CheckOpens(FollowPolicy.Trusted);
    }

    [UnixFact]
    public async Task Pipe_IsRefusedWithoutWaitingForAWriter()
    {
        string pipe = Path.Combine(_files.Inside, "pipe");
        await global::CliWrap.Cli.Wrap("mkfifo").WithArguments([pipe]).ExecuteAsync();
        _files.LinkInside("link", "pipe");
        foreach (string name in new[] { "pipe", "link" })
        {
            _files.WriteTop(name);
            _files.CheckRefused("is not a regular file");
            _files.CheckRefused("is not a regular file", FollowPolicy.Trusted);
        }

        Assert.Throws<IOException>(() => Qcow2Chain.Open(pipe));
    }

    [UnixFact]
    public void Device_IsRefused()
    {
        _files.WriteTop("/dev/zero");
        _files.CheckRefused(Outside);
        _files.CheckRefused("is not a regular file", FollowPolicy.Trusted);
    }

    [UnixFact]
    public void LoopThroughALink_IsFound()
    {
        _files.WriteTop("link", "qcow2");
        _files.LinkInside("link", "top.qcow2");
        NamedFileException error = _files.CheckRefused("the chain loops: that file is already part of it");
        Assert.Contains($"the chain: {_files.Top} -> link", error.Message, StringComparison.Ordinal);
    }

    [UnixFact]
    public void LoopThroughAHardLink_IsFound()
    {
        string middle = _files.WriteInside("middle.qcow2", ChainFiles.Overlay("hard", "qcow2"));
        _files.WriteTop("middle.qcow2", "qcow2");
        Assert.Equal(0, HardLink(_files.Top, Path.Combine(_files.Inside, "hard")));
        var error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(_files.Top));
        Assert.Contains("the chain loops", error.Message, StringComparison.Ordinal);
        Assert.Contains($"the chain: {_files.Top} -> {middle} -> hard", error.Message, StringComparison.Ordinal);
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int HardLink(string from, string to);
}
