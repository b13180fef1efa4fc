using DiscUtils;
using DiscUtils.Partitions;
using DiscUtils.Streams;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

// Not ...Tests.DiscUtils, as the folder would have it: that would hide the namespace DiscUtils.
namespace Qcow2Stream.Tests.Disks;

public sealed class Qcow2DiskTests : IDisposable
{
    private const long TiB = 1L << 40;

    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void DiskOfAPath_ReadsTheWholeChain()
    {
        string path = SampleDisk.WriteChain(_scratch, out byte[] expected);
        using Qcow2Disk disk = new(path);

        Assert.Equal(expected.Length, disk.Capacity);
        Assert.Equal(expected, disk.Content.ReadAll());
        Assert.Equal(path, disk.Chain.Layers[0].Path);
        Assert.Equal(512, disk.SectorSize);
    }

    [Fact]
    public void DiskOfAStream_FollowsNothingUnlessTold()
    {
        string path = SampleDisk.WriteChain(_scratch, out byte[] expected);

        Assert.Throws<NamedFileException>(() => new Qcow2Disk(new MemoryStream(File.ReadAllBytes(path))));
        using Qcow2Disk disk = new(File.OpenRead(path), new Qcow2OpenOptions { Follow = FollowPolicy.SameDirectory });
        Assert.Equal(expected, disk.Content.ReadAll());
    }

    [Fact]
    public void Disk_IsReadOnlyAndSaysSo()
    {
        using Qcow2Disk disk = new(SampleDisk.Single().OpenImage());

        Assert.False(disk.CanWrite);
        Assert.False(disk.Content.CanWrite);
        Action[] writes =
        [
            () => disk.Signature = 1,
            () => disk.SetMasterBootRecord(new byte[512]),
            () => disk.SetMasterBootRecordAsync(new byte[512], default).AsTask(),
            () => disk.CreateDifferencingDisk("x.qcow2"),
            () => disk.CreateDifferencingDisk("x.qcow2", useAsync: true),
            () => disk.CreateDifferencingDisk(new NativeFileSystem(_scratch.Path, readOnly: true), "x.qcow2"),
            () => disk.Content.WriteByte(1),
        ];
        Assert.All(writes, w => Assert.Contains("never written", Assert.Throws<NotSupportedException>(w).Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(512L)]
    [InlineData(4096L)]
    [InlineData(1L << 30)]
    [InlineData(40L << 30)]
    [InlineData(16 * TiB)]
    public void DiskOfAnySize_AnswersEveryQuestion(long size)
    {
        using Qcow2Disk disk = new(new MemoryStream(new Qcow2Builder { ClusterBits = 21, Size = size }.Build().ToBytes()));

        Assert.Equal(size, disk.Capacity);
        Assert.Equal(DiscUtils.Geometry.FromCapacity(size), disk.Geometry);
        Assert.True(disk.BiosGeometry.IsBiosSafe);
        Assert.InRange(disk.Geometry!.Value.Capacity, 0, size);
        Assert.Equal(disk.Geometry.Value, Assert.Single(disk.Layers).Geometry);
        Assert.Equal(VirtualDiskClass.HardDisk, disk.DiskClass);
        Assert.Equal("QCOW2", disk.DiskTypeInfo.Name);
        Assert.Equal(disk.Geometry.Value, disk.DiskTypeInfo.CalcGeometry(size));
        Assert.Equal((size, VirtualDiskClass.HardDisk), (disk.Parameters.Capacity, disk.Parameters.DiskType));
        Assert.Equal(disk.BiosGeometry, disk.Parameters.BiosGeometry);
        Assert.Equal(0, disk.Signature);
        Assert.False(disk.IsPartitioned);
        Assert.Null(disk.Partitions);
    }

    [QemuFact]
    public async Task PartitionedDisk_ShowsItsPartitionsAndVolumes()
    {
        string raw = _scratch.File("disk.raw");
        const long Capacity = 64 << 20;
        byte[] expected;
        using (DiscUtils.Raw.Disk disk = DiscUtils.Raw.Disk.Initialize(File.Create(raw), Ownership.Dispose, Capacity))
        {
            BiosPartitionTable table = BiosPartitionTable.Initialize(disk);
            table.Create(20 << 20, WellKnownPartitionType.Linux, active: true);
            table.Create(30 << 20, WellKnownPartitionType.WindowsFat, active: false);
            disk.Signature = 0x1234ABCD;
            using SparseStream volume = table[1].Open();
            volume.Write("the second one"u8);
            expected = disk.GetMasterBootRecord();
        }

        string path = _scratch.File("disk.qcow2");
        await Qemu.Img("convert", "-O", "qcow2", "-c", raw, path);
        using Qcow2Disk opened = new(path);

        Assert.Equal(0x1234ABCD, opened.Signature);
        Assert.Equal(expected, opened.GetMasterBootRecord());
        Assert.True(opened.IsPartitioned);
        Assert.IsType<BiosPartitionTable>(opened.Partitions);
        Assert.Equal(2, opened.Partitions.Count);
        VolumeManager volumes = new(opened);
        LogicalVolumeInfo[] logical = volumes.GetLogicalVolumes();
        Assert.Equal(opened.Partitions.Partitions.Select(p => p.SectorCount * 512), logical.Select(v => v.Length));
        using SparseStream content = logical[1].Open();
        byte[] start = new byte[14];
        content.ReadExactly(start);
        Assert.Equal("the second one"u8, start);
    }

    [Fact]
    public void OwnedStream_IsClosedWithTheDisk()
    {
        TrackedStream owned = new(SampleDisk.Single().Image);
        TrackedStream lent = new(SampleDisk.Single().Image);

        new Qcow2Disk(owned).Dispose();
        new Qcow2Disk(lent, new Qcow2OpenOptions { LeaveOpen = true }).Dispose();

        Assert.True(owned.IsDisposed);
        Assert.False(lent.IsDisposed);
    }

    [Fact]
    public void FailedOpen_ClosesAnOwnedStreamOnly()
    {
        byte[] damaged = [.. "QFI\u00fb"u8];
        TrackedStream owned = new(damaged);
        TrackedStream lent = new(damaged);

        Assert.ThrowsAny<Exception>(() => new Qcow2Disk(owned, new Qcow2OpenOptions { Format = ImageFormat.Qcow2 }));
        Assert.ThrowsAny<Exception>(() => new Qcow2Disk(lent, new Qcow2OpenOptions { Format = ImageFormat.Qcow2, LeaveOpen = true }));

        Assert.True(owned.IsDisposed);
        Assert.False(lent.IsDisposed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Chain_IsClosedIfItIsTheDisks(bool leaveOpen)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(SampleDisk.Single().OpenImage());
        Qcow2Disk disk = new(chain, leaveOpen);

        disk.Dispose();

        Assert.Throws<ObjectDisposedException>(() => disk.Content.ReadByte());
        Exception? afterwards = Record.Exception(() => chain.ReadRange(0, 1));
        Assert.Equal(!leaveOpen, afterwards is ObjectDisposedException);
    }

    [Fact]
    public void SecondDispose_DoesNothing()
    {
        Qcow2Disk disk = new(SampleDisk.Single().OpenImage());
        int events = 0;
        disk.Disposing += (_, _) => events++;
        disk.Disposed += (_, _) => events++;

        disk.Dispose();
        disk.Dispose();

        Assert.Equal(2, events);
    }

    [Fact]
    public async Task ReadersWithStreamsOfTheirOwn_ReadTheRightBytesAtOnce()
    {
        string path = SampleDisk.WriteChain(_scratch, out byte[] expected);
        using Qcow2Disk disk = new(path);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(reader => Task.Run(() =>
        {
            using Qcow2ChainStream stream = disk.Chain.OpenStream();
            Random random = new(reader);
            byte[] buffer = new byte[10_000];
            for (int round = 0; round < 300; round++)
            {
                int start = random.Next(expected.Length - buffer.Length);
                stream.Position = start;
                stream.ReadExactly(buffer);
                Assert.Equal(expected.AsSpan(start, buffer.Length), buffer.AsSpan());
            }
        })));
    }
}
