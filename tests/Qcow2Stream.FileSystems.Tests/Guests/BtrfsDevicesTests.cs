using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Btrfs over several devices: partitions of one disk, or disks; some of them missing, or with garbage on them.</summary>
public sealed class BtrfsDevicesTests
{
    /// <summary>Each disk with how many of its devices may be missing.</summary>
    public static TheoryData<string, int> Disks => new()
    {
        { "btrfs-raid0", 0 },
        { "btrfs-raid10", 1 },
        { "btrfs-raid5", 1 },
        { "btrfs-raid6", 2 },
    };

    /// <summary>Every choice of devices that is enough gives every byte, whichever of them it is opened from.</summary>
    [Theory]
    [MemberData(nameof(Disks))]
    public void DevicesThatAreEnough_GiveAll(string name, int spare)
    {
        using Guest whole = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(name)));
        IBlockSource[] devices = [.. whole.Volumes.Select(volume => volume.Source)];
        for (int mask = 1; mask < 1 << devices.Length; mask++)
        {
            IBlockSource[] there = [.. devices.Where((_, i) => (mask & (1 << i)) != 0)];
            if (there.Length == devices.Length - spare)
            {
                AssertReadsAll(name, [.. there.Reverse()]);
            }
        }
    }

    /// <summary>One device is full of garbage: whatever it gives is told by its checksum, and read from elsewhere.</summary>
    [Theory]
    [MemberData(nameof(Disks))]
    public void DeviceOfGarbage_GivesNoByte(string name, int spare)
    {
        using Guest whole = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(name)));
        for (int bad = 0; bad < whole.Volumes.Count && spare > 0; bad++)
        {
            AssertReadsAll(name, [.. whole.Volumes.Select((volume, i) => i == bad ? new GarbageDevice(volume.Source) : volume.Source)]);
        }
    }

    /// <summary>One device can't be read behind its superblock, as where its image is damaged: what it has is read from elsewhere.</summary>
    [Theory]
    [MemberData(nameof(Disks))]
    public void DeviceThatFails_IsDoneWithout(string name, int spare)
    {
        using Guest whole = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(name)));
        for (int bad = 0; bad < whole.Volumes.Count && spare > 0; bad++)
        {
            AssertReadsAll(name, [.. whole.Volumes.Select((volume, i) => i == bad ? new FailingDevice(volume.Source) : volume.Source)]);
        }
    }

    [Theory]
    [MemberData(nameof(Disks))]
    public void TooFewDevices_AreToldByNumber(string name, int spare)
    {
        using Guest whole = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(name)));
        IBlockSource[] there = [.. whole.Volumes.Select(volume => volume.Source).Take(whole.Volumes.Count - spare - 1)];
        using Guest guest = Guest.Open(there[0], new GuestOptions { LeaveOpen = true, OtherDisks = there[1..] });
        List<string> faults = [];
        Exception? thrown = Record.Exception(() =>
        {
            using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
            _ = GuestTree.Lines(files, hasModes: true, out faults);
        });
        faults.AddRange(thrown is GuestException ? [thrown.Message] : []);
        Assert.Contains(faults, fault => fault.Contains("of the file system, which is not there", StringComparison.Ordinal));
        Assert.All(faults, fault => Assert.Matches("it needs device [0-9]+ of the file system, which is not there$", fault));
    }

    /// <summary>A device that was away while files changed, asked first: the old files came, with exit code 0. Linux takes the newest, in any order.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void DeviceThatWasAway_DoesNotDecide(int partition)
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk("btrfs-stale")));
        using GuestFileSystem files = guest.Volumes.Single(volume => volume.Number == partition).OpenFileSystem();
        Assert.Equal("new\n"u8, GuestReading.Bytes(files.Find("/changed")!));
        Assert.Null(files.Find("/deleted"));
        Assert.NotNull(files.Find("/made"));
    }

    /// <summary>Without the others, it is all that is known.</summary>
    [Fact]
    public void DeviceThatWasAway_IsReadAsItWasThen()
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk("btrfs-stale")));
        using Guest alone = Guest.Open(guest.Volumes[0].Source);
        using GuestFileSystem files = alone.Volumes.Single().OpenFileSystem();
        Assert.Equal("old\n"u8, GuestReading.Bytes(files.Find("/changed")!));
    }

    /// <summary>All devices are one file system: a path is found once, and the report names what each of them is.</summary>
    [Fact]
    public void Devices_AreOneFileSystem()
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk("btrfs-raid5")));
        Assert.Equal([null, guest.Volumes[0], guest.Volumes[0]], guest.Volumes.Select(volume => volume.DeviceOf));
        using GuestMatch match = guest.Find("/etc/os-release");
        Assert.Equal(1, match.Volume.Number);
        using GuestMatch second = guest.Find("/etc/os-release", partition: 2);
        Assert.Equal(2, second.Volume.Number);
        Assert.Equal([true, false, false], guest.Report().Select(report => report.Usage is not null));
    }

    /// <summary>A copy of a disk is no other device: its files are as well there as here.</summary>
    [Fact]
    public void CopyOfADisk_IsAFileSystemOfItsOwn()
    {
        using Guest guest = Guest.Open(
            Qcow2Chain.Open(GuestImages.Disk("btrfs")),
            new GuestOptions { OtherDisks = [BlockSource.FromStream(new Qcow2ChainStream(GuestImages.Disk("btrfs")))] });
        Assert.All(guest.Volumes, volume => Assert.Null(volume.DeviceOf));
        AmbiguousPathException error = Assert.Throws<AmbiguousPathException>(() => guest.Find("/etc/os-release"));
        Assert.Equal(["the disk", "disk 2"], error.Volumes.Select(searched => searched.Volume.ToString()));
    }

    [Fact]
    public void OtherDisks_HaveVolumesAndEndWithTheGuest()
    {
        GarbageDevice other = new(BlockSource.FromStream(new MemoryStream(new byte[1 << 20])));
        Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk("gpt")), new GuestOptions { OtherDisks = [other] });
        Assert.Equal([1, 2], guest.Disks.Select(disk => disk.Number));
        Assert.Equal(guest.Disks.SelectMany(disk => disk.Volumes), guest.Volumes);
        Assert.Equal("disk 2", guest.Volumes[^1].ToString());
        Assert.Equal(PartitionTableKind.Gpt, guest.PartitionTable);
        Assert.Equal(PartitionTableKind.None, guest.Disks[1].PartitionTable);
        guest.Dispose();
        Assert.True(other.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => guest.Volumes[^1].OpenStream());
    }

    private static void AssertReadsAll(string name, IBlockSource[] devices)
    {
        using Guest guest = Guest.Open(devices[0], new GuestOptions { LeaveOpen = true, OtherDisks = devices[1..] });
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        List<string> lines = GuestTree.Lines(files, hasModes: true, out List<string> faults);
        Assert.Empty(faults);
        Assert.Equal(GuestTree.Expected(GuestImages.Folder($"trees/{name}-1.txt")), lines);
    }

    private sealed class FailingDevice(IBlockSource device) : IBlockSource
    {
        private const long FirstOfTrees = 1 << 20;

        public long Length => device.Length;

        public int ReadAt(long offset, Span<byte> buffer) => offset < FirstOfTrees
            ? device.ReadAt(offset, buffer)
            : throw new IOException("the device can't be read");
    }

    /// <summary>A device on which everything but its superblock is wrong.</summary>
    private sealed class GarbageDevice(IBlockSource device) : IBlockSource, IDisposable
    {
        private const long FirstOfTrees = 1 << 20;

        public bool IsDisposed { get; private set; }

        public long Length => device.Length;

        public int ReadAt(long offset, Span<byte> buffer)
        {
            int read = device.ReadAt(offset, buffer);
            for (int i = 0; i < read; i++)
            {
                buffer[i] ^= (byte)(offset + i < FirstOfTrees ? 0 : 0x55);
            }

            return read;
        }

        public IEnumerable<StreamExtent> GetExtents(long start, long length) => device.GetExtents(start, length);

        public void Dispose() => IsDisposed = true;
    }
}
