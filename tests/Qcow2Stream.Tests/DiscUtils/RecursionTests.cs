using System.Text;
using DiscUtils;
using DiscUtils.Streams;
using DiscUtils.Vmdk;
using Qcow2Stream.Layers.Foreign;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Layers;

namespace Qcow2Stream.Tests.Disks;

/// <summary>Once registered, this library reads images through DiscUtils, and DiscUtils through this library: that must not go round.</summary>
public sealed class RecursionTests : IDisposable
{
    private const int DiskSize = 1 << 20;

    private readonly TempDirectory _scratch = new();

    static RecursionTests()
    {
        ForeignImages.Register();
        Qcow2Disk.Register();
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("QCOW2")]
    [InlineData("Qcow2")]
    [InlineData("QCOW")]
    [InlineData("qCow")]
    public void OwnFormatInAnotherCase_IsNotHandled(string format)
    {
        // DiscUtils minds no case, and would open the backing file, which names itself, as a qcow2 image.
        string self = _scratch.Write("self.qcow2", Overlay("self.qcow2", format));
        string top = _scratch.Write("top.qcow2", Overlay("self.qcow2", format));

        foreach (Action open in new Action[]
        {
            () => Qcow2Chain.Open(top),
            () => Qcow2Chain.Open(top, new() { Follow = FollowPolicy.FromResolver(_ => File.OpenRead(self)) }),
            () => VirtualDisk.OpenDisk(top, FileAccess.Read),
        })
        {
            Qcow2UnsupportedException error = Assert.Throws<Qcow2UnsupportedException>(open);
            Assert.Equal($"format {format}", error.Feature);
            Assert.Contains("is not handled", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("qcow2")]
    [InlineData("QCOW2")]
    [InlineData("qcow")]
    public void OwnFormats_AreNeverDiscUtils(string format)
    {
        Assert.Throws<Qcow2UnsupportedException>(() => ForeignFormats.ExtensionFor(format, path: null));
    }

    [Fact]
    public void Vmdk_DoesNotLeadBackToQcow2()
    {
        // top.qcow2 -> middle.vmdk -> base.qcow2 -> middle.vmdk -> ...
        WriteVmdkOverQcow2("middle.vmdk");
        _scratch.Write("base.qcow2", Overlay("middle.vmdk", "vmdk"));
        string top = _scratch.Write("top.qcow2", Overlay("middle.vmdk", "vmdk"));

        foreach (Action open in new Action[] { () => Qcow2Chain.Open(top), () => VirtualDisk.OpenDisk(top, FileAccess.Read) })
        {
            Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(open);
            Assert.Contains("the descriptor has no createType", error.Message, StringComparison.Ordinal);
            Assert.EndsWith("base.qcow2", error.ImagePath, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void VmdkOverAVmdk_StillServesAsALayer()
    {
        WriteVmdk("middle.vmdk", "base0.vmdk");
        string top = _scratch.Write("top.qcow2", Overlay("middle.vmdk", "vmdk"));

        using Qcow2Chain chain = Qcow2Chain.Open(top);

        Assert.Equal(0x77, chain.ReadRange(70_000, 1)[0]);
    }

    [Fact]
    public void VmdkOverAChain_IsReadByDiscUtils()
    {
        WriteVmdkOverQcow2("disk.vmdk");
        _scratch.Write("base.qcow2", Overlay("base.raw", "raw"));
        _scratch.Write("base.raw", GuestDisk.Filled(DiskSize, 0x5A));

        using VirtualDisk disk = VirtualDisk.OpenDisk(_scratch.File("disk.vmdk"), FileAccess.Read);

        Assert.Equal(GuestDisk.Filled(DiskSize, 0x5A), disk.Content.ReadAll());
        VirtualDiskLayer layer = disk.Layers.Last();
        Assert.Equal((false, _scratch.File("base.qcow2")), (layer.NeedsParent, layer.FullPath));
        disk.Dispose();
        Assert.Throws<ObjectDisposedException>(() => layer.OpenContent(null, Ownership.None));
    }

    [Theory]
    [InlineData("base.qcow2", "loops")]
    [InlineData("/etc/hostname", "it lies outside")]
    public void VmdkOverAHostileChain_EndsInOurException(string name, string reason)
    {
        WriteVmdkOverQcow2("disk.vmdk");
        _scratch.Write("base.qcow2", Overlay(name, name == "base.qcow2" ? "qcow2" : "raw"));

        NamedFileException error = Assert.Throws<NamedFileException>(() => VirtualDisk.OpenDisk(_scratch.File("disk.vmdk"), FileAccess.Read));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static byte[] Overlay(string backingFile, string format) => new Qcow2Builder
    {
        Size = DiskSize,
        BackingFile = backingFile,
        BackingFormat = format,
    }.Build().ToBytes();

    /// <summary>Writes a vmdk image over another, which has 0x77 at 70 000.</summary>
    private void WriteVmdk(string name, string parent)
    {
        using (Disk disk = Disk.Initialize(_scratch.File(parent), DiskSize, DiskCreateType.MonolithicSparse))
        {
            disk.Content.Position = 70_000;
            disk.Content.WriteByte(0x77);
        }

        Disk.InitializeDifferencing(_scratch.File(name), DiskCreateType.MonolithicSparse, _scratch.File(parent)).Dispose();
    }

    /// <summary>Writes a vmdk image that says that base.qcow2 is its parent.</summary>
    private void WriteVmdkOverQcow2(string name)
    {
        WriteVmdk(name, "base0.vmdk");
        byte[] bytes = File.ReadAllBytes(_scratch.File(name));
        int at = bytes.AsSpan().IndexOf("base0.vmdk\""u8);
        Encoding.ASCII.GetBytes("base.qcow2").CopyTo(bytes, at);
        File.WriteAllBytes(_scratch.File(name), bytes);
    }
}
