using DiscUtils;
using DiscUtils.Streams;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Layers;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Disks;

public sealed class Qcow2DiskLayerTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    static Qcow2DiskLayerTests() => ForeignImages.Register();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Layers_TellWhatTheyAre()
    {
        using Qcow2Disk disk = new(Repository.Image("chain-3.qcow2"));
        VirtualDiskLayer[] layers = [.. disk.Layers];
        string[] names = ["chain-3.qcow2", "chain-2.qcow2", "chain-1.qcow2", "chain-0.raw"];

        Assert.Equal(names.Select(Repository.Image), layers.Select(l => l.FullPath));
        Assert.Equal(disk.Chain.Layers.Select(l => l.Length), layers.Select(l => l.Capacity));
        Assert.Equal([true, true, true, false], layers.Select(l => l.IsSparse));
        Assert.Equal([true, true, true, false], layers.Select(l => l.NeedsParent));
        Assert.Equal(names[1..], layers.SelectMany(l => l.GetParentLocations()));
        Assert.All(layers, l => Assert.False(l.CanWrite));
        Assert.All(layers, l => Assert.Null(l.RelativeFileLocator));
        Assert.All(layers, l => Assert.Equal(Geometry.FromCapacity(l.Capacity), l.Geometry));
        Assert.Equal(disk.Chain.Layers, layers.Cast<Qcow2DiskLayer>().Select(l => l.Image));
    }

    [Fact]
    public void LayerOfAStream_HasNoPath()
    {
        using Qcow2Disk disk = new(SampleDisk.Single().OpenImage());
        Assert.Equal("", disk.Layers.Single().FullPath);
    }

    [Fact]
    public void ContentWithoutAParent_IsTheChainFromThatLayerOn()
    {
        using Qcow2Disk disk = new(Repository.Image("chain-3.qcow2"));
        foreach (VirtualDiskLayer layer in disk.Layers)
        {
            using SparseStream content = layer.OpenContent(null, Ownership.None);
            using Qcow2Chain chain = Qcow2Chain.Open(layer.FullPath);

            Assert.Equal(chain.Length, content.Length);
            Assert.Equal(chain.ReadWholeDisk(), content.ReadAll());
            Assert.Equal(chain.OpenStream().Extents, content.Extents);
        }
    }

    [Theory]
    [InlineData(20_000)]
    [InlineData(1_000_000)]
    public void ContentWithAParent_ShowsItWhereTheLayerHoldsNothing(int parentLength)
    {
        using Qcow2Disk disk = new(SampleDisk.WriteChain(_scratch, out byte[] expected));
        expected = [.. expected];
        foreach (MapExtent other in disk.Chain.Map().Where(e => e.Depth > 0 || e.Kind == MapKind.Unallocated))
        {
            expected.AsSpan((int)other.Start, (int)other.Length).Clear();
            Span<byte> shown = expected.AsSpan(0, (int)Math.Min(parentLength, other.End));
            shown[(int)Math.Min(shown.Length, other.Start)..].Fill(0x5A);
        }

        using SparseStream parent = SparseStream.FromStream(new MemoryStream(GuestDisk.Filled(parentLength, 0x5A)), Ownership.Dispose);
        using SparseStream content = disk.Layers.First().OpenContent(parent, Ownership.None);

        Assert.Equal(expected, content.ReadAll());
    }

    [Theory]
    [InlineData(Ownership.None)]
    [InlineData(Ownership.Dispose)]
    public void Parent_IsClosedIfItIsTheContents(Ownership ownsParent)
    {
        using Qcow2Disk disk = new(SampleDisk.Single().OpenImage());
        TrackedStream parent = new(new byte[512]);
        SparseStream content = disk.Layers.Single().OpenContent(SparseStream.FromStream(parent, Ownership.Dispose), ownsParent);

        content.Dispose();

        Assert.Equal(ownsParent == Ownership.Dispose, parent.IsDisposed);
        Assert.NotEmpty(disk.Content.ReadAll());
    }

    [Fact]
    public void LayersAndContents_EndWithTheirChain()
    {
        Qcow2Disk disk = new(SampleDisk.Single().OpenImage());
        VirtualDiskLayer layer = disk.Layers.Single();
        SparseStream content = layer.OpenContent(null, Ownership.None);
        layer.Dispose();
        Assert.NotEmpty(content.ReadAll());

        disk.Dispose();

        Assert.Throws<ObjectDisposedException>(() => content.ReadAll());
        Assert.Throws<ObjectDisposedException>(() => layer.OpenContent(null, Ownership.None));
    }

    [Fact]
    public void Extent_TellsTheFilesBytesAndWhereTheDisksAre()
    {
        SampleDisk image = SampleDisk.Single();
        using Qcow2Disk disk = new(image.OpenImage());
        VirtualDiskExtent extent = Assert.Single(disk.Layers.Single().Extents);

        Assert.Equal((disk.Capacity, image.Image.LongLength, true), (extent.Capacity, extent.StoredSize, extent.IsSparse));
        using MappedStream content = extent.OpenContent(null, Ownership.None);
        Assert.Equal(image.Expected, content.ReadAll());
        StreamExtent place = content.MapContent(0, 512).Single();
        Assert.Equal(image.Expected.AsSpan(0, 512), image.Image.AsSpan((int)place.Start, 512));
    }

    [Fact]
    public void ExtentOverADataFile_CountsBothFiles()
    {
        using Qcow2Disk disk = new(Repository.Image("data-file.qcow2"));
        long apart = disk.Chain.Inner.Layers[0].File.GetAllocatedLength();

        Assert.Equal(
            apart + disk.Chain.Inner.Layers[0].ClusterFile.GetAllocatedLength(),
            disk.Layers.Single().Extents[0].StoredSize);
    }

    [Fact]
    public void DiskAtASnapshot_HasTheSnapshotsContent()
    {
        string path = Repository.Image("snapshots.qcow2");
        Qcow2OpenOptions options = new() { Snapshot = "1" };
        using Qcow2Disk disk = new(path, options);
        using Qcow2Chain chain = Qcow2Chain.Open(path, options);

        Assert.Equal(chain.Length, disk.Capacity);
        Assert.Equal(chain.ReadWholeDisk(), disk.Layers.Single().OpenContent(null, Ownership.None).ReadAll());
    }

    [QemuFact]
    public async Task LayerInAnotherFormat_Answers()
    {
        string below = _scratch.File("base.vmdk");
        await Qemu.Img("create", "-f", "vmdk", below, "1M");
        await Qemu.Io(below, "vmdk", "write -P 7 64k 64k");
        string top = _scratch.File("top.qcow2");
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "qcow2", "-b", "base.vmdk", "-F", "vmdk", top);
        using Qcow2Disk disk = new(top);

        VirtualDiskLayer layer = disk.Layers.Last();

        Assert.Equal((below, 1L << 20, false), (layer.FullPath, layer.Capacity, layer.NeedsParent));
        using SparseStream content = layer.OpenContent(null, Ownership.None);
        Assert.Equal(disk.Chain.ReadWholeDisk(), content.ReadAll());
        Assert.InRange(layer.Extents[0].StoredSize, 1, 1 << 20);
    }
}
