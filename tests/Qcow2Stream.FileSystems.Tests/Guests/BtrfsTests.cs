using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Btrfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>
/// Btrfs on one device: what is told and refused, and which subvolume is where. That all of it is read right, the trees of its disks say
/// (<see cref="GuestTreeTests"/>).
/// </summary>
public sealed class BtrfsTests
{
    private const int Superblock = 64 << 10;
    private const int SuperblockLength = 4096;
    private const int Incompatible = 188;
    private const int ChecksumType = 196;
    private const int NodeSize = 4096;
    private const int Cases = 600;
    private const long MostAllocated = 256 << 20;

    [Theory]
    [InlineData("btrfs", false)]
    [InlineData("btrfs-today", false)]
    [InlineData("btrfs-log", true)]
    public void LogOfAGuestThatRuns_IsTold(string name, bool isTold)
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(name)));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        Assert.Equal(isTold, files.Notice?.Contains("its log is not replayed", StringComparison.Ordinal) ?? false);
        Assert.NotNull(files.Find("/etc/os-release"));
    }

    [Theory]
    [InlineData(0x2000, "it has a feature that is not handled: a second version of its extent tree (extent-tree-v2)")]
    [InlineData(0x4000, "it has a feature that is not handled: a tree of stripes (raid-stripe-tree)")]
    [InlineData(0x20000, "it has a feature that is not handled: a tree of moved block groups (remap-tree)")]
    [InlineData(0x8000000000, "it has features that are not handled (incompatible features 0x8000000000)")]
    public void FeatureThatWouldBeMisread_IsRefusedByName(ulong bit, string message)
    {
        using PatchedDisk disk = new("btrfs");
        byte[] features = disk.Read(Superblock + Incompatible, sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(features, BinaryPrimitives.ReadUInt64LittleEndian(features) | bit);
        disk.Write(Superblock + Incompatible, features);
        Seal(disk, Superblock, SuperblockLength);
        Assert.Equal(message, Assert.Throws<GuestException>(() => Open(disk)).Message);
    }

    [Fact]
    public void ChecksumThatIsNotKnown_IsRefused()
    {
        using PatchedDisk disk = new("btrfs");
        disk[Superblock + ChecksumType] = 4;
        Assert.Equal("its kind of checksum (4) is not known", Assert.Throws<GuestException>(() => Open(disk)).Message);
    }

    [Fact]
    public void SuperblockWhoseSumIsWrong_IsDamage()
    {
        using PatchedDisk disk = new("btrfs");
        disk[Superblock + 300] ^= 1;
        Assert.Equal("its superblock is damaged: the checksum is wrong", Assert.Throws<GuestException>(() => Open(disk)).Message);
    }

    /// <summary>Data without a second copy whose checksum is wrong is never given out; the rest of the disk is read.</summary>
    [Fact]
    public void DataWhoseSumIsWrong_IsDamage()
    {
        using PatchedDisk disk = new("btrfs-today");
        disk[disk.Find("line 000000 of part 2: "u8, 0) + 5] ^= 1;
        using GuestFileSystem files = Open(disk);
        Assert.Matches(
            "^its data is damaged: the checksum is wrong at address [0-9]+$",
            Assert.Throws<GuestException>(() => GuestReading.Read(files.Find("/sizes/large.txt")!)).Message);
        GuestReading.Read(files.Find("/zstd/large")!);
    }

    /// <summary>The disk has what others read wrong: a file whose bytes begin where a chunk does.</summary>
    [Fact]
    public void DiskOfToday_HasAnExtentAtTheStartOfAChunk()
    {
        using PatchedDisk disk = new("btrfs-today");
        BtrfsVolume volume = new(new FileSystemSource(disk, [], GuestOptions.Default));
        BtrfsSubvolume root = new BtrfsSubvolumes(volume).Named("@");
        HashSet<ulong> starts = [.. volume.Space.Chunks.Select(chunk => chunk.Start)];
        Assert.Contains(
            root.Tree.Range(default, new BtrfsKey(ulong.MaxValue, byte.MaxValue, ulong.MaxValue)),
            item => item.Key.Type == BtrfsType.Extent && item.Data.Length > 29 && starts.Contains(BinaryPrimitives.ReadUInt64LittleEndian(item.Data.Span[21..])));
    }

    /// <summary>The root is what the guest mounts as such; any other can be chosen, by path or number.</summary>
    [Theory]
    [InlineData(null, "/zstd/hosts")]
    [InlineData("@", "/zstd/hosts")]
    [InlineData("/@/", "/zstd/hosts")]
    [InlineData("256", "/zstd/hosts")]
    [InlineData("5", "/@/zstd/hosts")]
    [InlineData("", "/@/zstd/hosts")]
    [InlineData("@home", "/user2")]
    [InlineData("@/var/lib/machines", "/inside")]
    [InlineData("@snapshots/before", "/zstd/hosts")]
    public void Subvolume_IsTheRoot(string? subvolume, string path)
    {
        using PatchedDisk disk = new("btrfs-today");
        using GuestFileSystem files = Open(disk, new GuestOptions { Subvolume = subvolume });
        Assert.NotNull(files.Find(path));
        Assert.Null(files.Find("/home/user2"));
        Assert.Null(files.Notice);
    }

    /// <summary>
    /// /etc/fstab is bytes: a name was cut at a letter whose last byte is a blank elsewhere. A number is a number, not another subvolume's name; and what a line
    /// mounts of another device is not of this one, which was shown in its place.
    /// </summary>
    [Theory]
    [InlineData("/which", @"root \xe9")]
    [InlineData("/voil\u00e0/which", "voil\u00e0")]
    [InlineData(@"/caf\xe9/which", @"caf\xe9")]
    [InlineData("/top/5/which", "5")]
    [InlineData("/top/which", null)]
    [InlineData("/other/which", null)]
    [InlineData("/disk/which", null)]
    public void MountTable_MeansWhatLinuxMounts(string path, string? subvolume)
    {
        using PatchedDisk disk = new("btrfs-fstab");
        using GuestFileSystem files = Open(disk, new GuestOptions { ShowMounts = true });
        Assert.Null(files.Notice);
        Assert.Equal(subvolume, files.Find(path) is { } file ? GuestText.FromBytes(GuestReading.Bytes(file)).TrimEnd('\n') : null);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("@/etc")]
    [InlineData("7")]
    public void SubvolumeThatIsNotThere_IsToldWithThoseThatAre(string subvolume)
    {
        using PatchedDisk disk = new("btrfs-today");
        Assert.Equal(
            $"it has no subvolume '{subvolume}': there are 5 (the top level), 256 (@), 257 (@home), 258 (@snapshots), 259 (@/var/lib/machines), 260 (@snapshots/before)",
            Assert.Throws<GuestException>(() => Open(disk, new GuestOptions { Subvolume = subvolume })).Message);
    }

    [Fact]
    public void Subvolumes_AreListedWithTheirPlaces()
    {
        using PatchedDisk disk = new("btrfs-today");
        using GuestFileSystem files = Open(disk);
        Assert.Equal(
            [
                new GuestSubvolume(5, "", "/top", false),
                new GuestSubvolume(256, "@", "/", false),
                new GuestSubvolume(257, "@home", "/home", false),
                new GuestSubvolume(258, "@snapshots", "/snap shots", false),
                new GuestSubvolume(259, "@/var/lib/machines", null, false),
                new GuestSubvolume(260, "@snapshots/before", null, true),
            ],
            files.GetSubvolumes());
    }

    /// <summary>With mounts, the tree is that of the running guest: also where the top level is mounted in what it holds.</summary>
    [Fact]
    public void Mounts_AreInTheirPlaces()
    {
        using PatchedDisk disk = new("btrfs-today");
        using GuestFileSystem files = Open(disk, new GuestOptions { ShowMounts = true });
        Assert.Equal("user2\n", Text(files.Find("/home/user2")!));
        Assert.Null(files.Find("/snap shots/before/etc/changed"));
        Assert.NotNull(files.Find("/etc/changed"));
        Assert.Equal("user2\n", Text(files.Find("/top/@home/user2")!));

        // What is mounted there is not in its own mount, and what another file system has is not either.
        Assert.Empty(files.Find("/top/@/top")!.EnumerateChildren());
        Assert.Empty(files.Find("/top/@/snap shots")!.EnumerateChildren());
        Assert.Equal("inside\n", Text(files.Find("/var/lib/machines/inside")!));
        Assert.Contains(files.Root.EnumerateTree(fault => Assert.Fail(fault.Message)), below => below.Path == "/top/@snapshots/before/etc/os-release");
    }

    /// <summary>A snapshot has the names of the subvolumes in what it was made of: there is nothing in them, as on Linux.</summary>
    [Fact]
    public void SubvolumeInASnapshot_IsAnEmptyDirectory()
    {
        using PatchedDisk disk = new("btrfs-today");
        using GuestFileSystem files = Open(disk, new GuestOptions { Subvolume = "@snapshots/before" });
        GuestEntry lost = files.Find("/var/lib/machines")!;
        Assert.Equal(GuestEntryKind.Directory, lost.Kind);
        Assert.Equal(Convert.ToInt32("755", 8), (int)lost.UnixMode!.Value.Permissions);
        Assert.Empty(lost.EnumerateChildren());
    }

    /// <summary>What the guest mounts is found where it is, but a table that can't be read keeps nothing else from being read.</summary>
    [Fact]
    public void TableOfMountsThatIsDamaged_IsTold()
    {
        using PatchedDisk disk = new("btrfs-today");
        List<long> places = [];
        foreach (long place in disk.Used())
        {
            if (places.Count < 100 && disk.Read(place, 19).AsSpan().SequenceEqual("# <file system> <mo"u8))
            {
                places.Add(place);
            }
        }

        Assert.NotEmpty(places);
        places.ForEach(place => disk[place] ^= 1);
        using GuestFileSystem files = Open(disk, new GuestOptions { Subvolume = "@" });
        Assert.StartsWith("what subvolume 256 says of what is mounted can't be read: its tree is damaged at address ", files.Notice, StringComparison.Ordinal);
    }

    /// <summary>Nodes and superblock changed at random, under checksums that are right: only errors of their own kind, in bounded memory.</summary>
    [Fact]
    public void DamagedTrees_GiveOwnErrors()
    {
        using PatchedDisk disk = new("btrfs");
        byte[] fileSystem = disk.Read(Superblock + 32, 16);
        List<long> nodes = [];
        for (long at = 1 << 20; at < disk.Length; at += NodeSize)
        {
            if (disk.Read(at + 32, 16).AsSpan().SequenceEqual(fileSystem) && at != Superblock)
            {
                nodes.Add(at);
            }
        }

        int faults = 0;
        for (int seed = 0; seed < Cases; seed++)
        {
            Random random = new(seed);
            disk.Restore();
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                long node = random.Next(10) == 0 ? Superblock : nodes[random.Next(nodes.Count)];
                byte[] bytes = disk.Read(node, NodeSize);
                for (int j = random.Next(1, 6); j > 0; j--)
                {
                    int place = random.Next(4) == 0 ? random.Next(48, NodeSize) : random.Next(48, 400);
                    bytes[place] = random.Next(3) switch { 0 => 0xFF, 1 => (byte)(bytes[place] ^ (1 << random.Next(8))), _ => (byte)random.Next(256) };
                }

                disk.Write(node, bytes);
                Seal(disk, node, NodeSize);
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception? thrown = Record.Exception(() =>
            {
                using GuestFileSystem files = Open(disk);
                faults += GuestReading.ReadAll(files);
                _ = Record.Exception(() => files.GetUsage()) is null or GuestException ? 0 : throw new InvalidOperationException("usage");
                _ = Record.Exception(() => files.GetSubvolumes()) is null or GuestException ? 0 : throw new InvalidOperationException("subvolumes");
            });
            Assert.True(thrown is null or GuestException, $"seed {seed}: {thrown}");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostAllocated, $"seed {seed}: memory");
            faults += thrown is null ? 0 : 1;
        }

        Assert.NotEqual(0, faults);
    }

    private static GuestFileSystem Open(PatchedDisk disk, GuestOptions? options = null) =>
        ReaderErrors.Call(() => BtrfsFileSystem.Open(new FileSystemSource(disk, [], options ?? GuestOptions.Default), "Btrfs"));

    private static string Text(GuestEntry file)
    {
        using MemoryStream text = new();
        file.CopyContentTo(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    /// <summary>Gives a node or the superblock the checksum that is right.</summary>
    private static void Seal(PatchedDisk disk, long place, int length)
    {
        uint sum = uint.MaxValue;
        foreach (byte value in disk.Read(place, length).AsSpan(32))
        {
            sum = BitOperations.Crc32C(sum, value);
        }

        byte[] field = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(field, ~sum);
        disk.Write(place, field);
    }
}
