using DiscUtils.Streams;
using DiscUtils.Vmdk;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Disks;

/// <summary>What DiscUtils copies out of a chain: what is stored, and nothing else.</summary>
public sealed class SparseCopyTests : IDisposable
{
    private const long DiskSize = 256 << 20;
    private const int Stored = 44 << 16;

    // Headers, tables, and what lies between two clusters.
    private const int Overhead = 1 << 20;

    private readonly TempDirectory _scratch = new();
    private readonly TrackedStream _file = new(Image.ToBytes());

    private static Qcow2Image Image { get; } = new Qcow2Builder
    {
        Size = DiskSize,
        Clusters =
        [
            GuestClusters.Data(3, 0x11, count: 20),
            GuestClusters.Zero(30, count: 100),
            GuestClusters.Compressed(1000, 0x22, count: 4),
            GuestClusters.ZeroAllocated(2000, count: 2),
            GuestClusters.Data(3000, 0x33, count: 20),
        ],
    }.Build();

    public void Dispose() => _scratch.Dispose();

    [UnixFact]
    public void PumpToAFile_LeavesHoles()
    {
        string path = _scratch.File("disk.raw");
        using Qcow2ChainStream source = new(_file);
        using (FileStream target = File.Create(path))
        {
            StreamPump pump = new() { InputStream = source, OutputStream = target };
            pump.Run();
            Assert.Equal((Stored, Stored), (pump.BytesRead, pump.BytesWritten));
        }

        using Qcow2Chain copy = Qcow2Chain.Open(path, new() { Format = ImageFormat.Raw });
        Assert.Equal(DiskSize, copy.Length);
        Assert.InRange(copy.Inner.Layers[0].File.GetAllocatedLength(), Stored, Stored + Overhead);
        AssertOnlyStoredBytesAreRead();
        AssertSame(source, copy.OpenStream());
    }

    [Fact]
    public void PumpToAVhdx_AllocatesOnlyTheBlocksThatHoldBytes()
    {
        using Qcow2ChainStream source = new(_file);
        using MemoryStream file = new();
        using DiscUtils.Vhdx.Disk target = DiscUtils.Vhdx.Disk.InitializeDynamic(file, Ownership.None, DiskSize, geometry: null, blockSize: 1 << 20);
        long empty = file.Length;

        SparseStream.Pump(source, target.Content);

        // The two runs of data lie in two blocks each, the compressed clusters in one; pumping writes the last byte too.
        Assert.InRange(file.Length - empty, Stored, 8 << 20);
        AssertOnlyStoredBytesAreRead();
        AssertSame(source, target.Content);
    }

    [Fact]
    public void VmdkOfTheDisk_HoldsOnlyItsStoredBytes()
    {
        using Qcow2ChainStream source = new(_file);
        DiskBuilder builder = new() { Content = source, DiskType = DiskCreateType.MonolithicSparse };
        string path = _scratch.File("disk.vmdk");
        using (Stream built = Assert.Single(builder.Build("disk")).OpenStream())
        using (FileStream target = File.Create(path))
        {
            built.CopyTo(target);
        }

        AssertOnlyStoredBytesAreRead();
        Assert.InRange(new FileInfo(path).Length, Stored, Stored + Overhead);
        using Disk copy = new(path, FileAccess.Read);
        AssertSame(source, copy.Content);
    }

    [Fact]
    public void HolesOfARawLayer_AreSkippedToo()
    {
        string below = _scratch.File("base.raw");
        using (FileStream raw = File.Create(below))
        {
            raw.SetLength(DiskSize);
            raw.Position = 100 << 20;
            raw.Write(GuestDisk.Filled(1 << 16, 0x44));
        }

        string top = _scratch.Write(
            "top.qcow2",
            new Qcow2Builder { Size = DiskSize, BackingFile = "base.raw", BackingFormat = "raw", Clusters = [GuestClusters.Data(0, 0x11)] }.Build().ToBytes());
        using Qcow2ChainStream source = new(top);
        StreamPump pump = new() { InputStream = source, OutputStream = new MemoryStream() };

        pump.Run();

        using HostFile host = PathHostFile.Open(below);
        Assert.InRange(pump.BytesRead, 2 << 16, host.GetAllocatedLength() + (1 << 16));
    }

    private static void AssertSame(SparseStream expected, SparseStream actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        byte[] wanted = new byte[1 << 20];
        byte[] got = new byte[1 << 20];
        expected.Position = 0;
        actual.Position = 0;
        for (long position = 0; position < DiskSize; position += wanted.Length)
        {
            expected.ReadExactly(wanted);
            actual.ReadExactly(got);
            Assert.True(wanted.AsSpan().SequenceEqual(got), $"the bytes from {position} on differ");
        }
    }

    private void AssertOnlyStoredBytesAreRead() => Assert.InRange(_file.Reads.Sum(r => (long)r.Length), 1, Stored + Overhead);
}
