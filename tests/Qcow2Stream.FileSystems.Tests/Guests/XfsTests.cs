using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;
using Qcow2Stream.FileSystems.Xfs;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>XFS: what is told and refused. That all of it is read right, the trees of its disks say (<see cref="GuestTreeTests"/>).</summary>
public sealed class XfsTests
{
    private const int LogStart = 48;
    private const int Features2 = 200;
    private const int Incompatible = 216;
    private const int SuperblockSum = 224;
    private const int InodeSum = 100;
    private const int InodeLength = 512;
    private const int Cases = 300;

    [Theory]
    [InlineData("xfs")]
    [InlineData("xfs-v4")]
    [InlineData("xfs-v5")]
    [InlineData("xfs-today")]
    public void LogOfAGuestThatWasShutDown_IsNotTold(string name)
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk(name)));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        Assert.Null(files.Notice);
        Assert.NotNull(files.Find("/etc/os-release"));
    }

    /// <summary>A log that isn't where the superblock says keeps no file from being read.</summary>
    [Fact]
    public void LogThatIsNowhere_IsTold()
    {
        using PatchedDisk disk = new("xfs-v4");
        disk.Write(LogStart, [0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF]);
        using GuestFileSystem files = Open(disk);
        Assert.Contains("its log is not replayed", files.Notice, StringComparison.Ordinal);
        GuestReading.Read(files.Find("/etc/os-release")!);
    }

    [Fact]
    public void Times_AreExactAndReachFurther()
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk("xfs-today")));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        Assert.Equal(
            new DateTime(2200, 6, 1, 12, 34, 56, DateTimeKind.Utc).AddTicks(1_234_567), files.Find("/sizes/future")!.ModifiedUtc);
        Assert.Equal(new DateTime(1901, 12, 20, 0, 0, 0, DateTimeKind.Utc), files.Find("/sizes/empty")!.ModifiedUtc);
    }

    [Theory]
    [InlineData(0x10, "it has a feature that is not handled: the guest says that it needs xfs_repair")]
    [InlineData(0x100, "it has a feature that is not handled: a metadata directory (metadir)")]
    [InlineData(0x200, "it has a feature that is not handled: zoned storage")]
    [InlineData(0x8000, "it has features that are not handled (incompatible features 0x8000)")]
    public void FeatureThatWouldBeMisread_IsRefusedByName(uint bit, string message)
    {
        using PatchedDisk disk = new("xfs-v5");
        uint features = BinaryPrimitives.ReadUInt32BigEndian(disk.Read(Incompatible, 4));
        byte[] changed = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(changed, features | bit);
        disk.Write(Incompatible, changed);
        disk.Write(SuperblockSum, Sum(disk.Read(0, 512), SuperblockSum));
        GuestException error = Assert.Throws<GuestException>(() => Open(disk));
        Assert.Equal(message, error.Message);
    }

    /// <summary>What Linux refuses of version 4: features of other systems, in the bits that came later.</summary>
    [Theory]
    [InlineData(0x10, "it has features that are not handled (version 4, features 0x10)")]
    [InlineData(0x40000004, "it has features that are not handled (version 4, features 0x40000004)")]
    public void OldFeatureThatIsNotKnown_IsRefused(uint bit, string message)
    {
        using PatchedDisk disk = new("xfs-v4");
        byte[] changed = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(changed, BinaryPrimitives.ReadUInt32BigEndian(disk.Read(Features2, 4)) | bit);
        disk.Write(Features2, changed);
        Assert.Equal(message, Assert.Throws<GuestException>(() => Open(disk)).Message);
    }

    /// <summary>A name that leads to an inode of nothing is damage, and no device.</summary>
    [Fact]
    public void InodeThatIsFree_IsDamage()
    {
        using PatchedDisk disk = new("xfs-v4");
        List<string> faults = [];
        for (long place = disk.Find("IN"u8, 0); faults.Count == 0; place = disk.Find("IN"u8, place + 1))
        {
            disk.Restore();
            disk.Write(place + 2, [0, 0]);
            using GuestFileSystem files = Open(disk);
            _ = Record.Exception(() => files.Root.EnumerateTree(fault => faults.Add(fault.Message)).Count());
        }

        Assert.Matches("^it points to inode [0-9]+, which is not in use$", faults[0]);
    }

    /// <summary>What Linux takes for damage though every checksum is right: never zeros or fewer names in its place.</summary>
    [Theory]
    [InlineData("a node of extents without any", "/sizes/extents", "its tree of extents is damaged")]
    [InlineData("a node of extents from another place", "/sizes/extents", "its tree of extents is damaged")]
    [InlineData("a node of extents of another file system", "/sizes/extents", "its tree of extents is damaged")]
    [InlineData("an extent of no length", "/sizes/extents", "its tree of extents is damaged")]
    [InlineData("an extent over the superblock", "/sizes/extents", "its tree of extents is damaged")]
    [InlineData("a root of extents without any", "/sizes/extents", "its tree of extents is damaged")]
    [InlineData("a root that says where another extent starts", "/sizes/extents", "its tree of extents is damaged")]
    [InlineData("blocks without an extent", "/sizes/large.txt", "inode [0-9]+ is damaged: it has 0 extents in [0-9]+ blocks")]
    [InlineData("a directory of no size", "/leaf", "the directory is damaged: it has 0 bytes")]
    [InlineData("a short directory longer than its inode", "/etc", "the directory is damaged: it is longer than its inode")]
    [InlineData("a short directory shorter than its names", "/etc", "the directory is damaged: its names are longer than it is")]
    [InlineData("a block of names from another place", "/leaf", "the directory is damaged: its block at byte 0 is not one of its names")]
    [InlineData("a name of another length", "/leaf", "the directory is damaged: a name reaches past its place")]
    public void DamageUnderRightSums_IsDamage(string what, string path, string message)
    {
        using PatchedDisk disk = new("xfs-today");
        using GuestFileSystem before = Open(disk);
        GuestEntry entry = At(before, path);
        long inode = PlaceOf(disk, (ulong)entry.Identity!);
        bool isDirectory = entry.Kind == GuestEntryKind.Directory;
        (long block, int length, int sum) = (inode, InodeLength, InodeSum);
        if (!what.Contains("root", StringComparison.Ordinal) && what.Contains(isDirectory ? "name of" : "extent", StringComparison.Ordinal) && what != "blocks without an extent"
            || what == "a block of names from another place")
        {
            // The first block of names, or of extents.
            (block, length, sum) = isDirectory
                ? (Owned(disk, "XDD3"u8, 40, entry), 8192, 4)
                : (Owned(disk, "BMA3"u8, 56, entry), 1024, 64);
        }

        (int place, byte[] bytes) = what switch
        {
            "a node of extents without any" => (6, [0, 0]),
            "a node of extents from another place" => (24, new byte[8]),
            "a node of extents of another file system" => (40, new byte[16]),
            "an extent of no length" => (72 + 16 + 13, [(byte)(disk[block + 72 + 16 + 13] & 0xE0), 0, 0]),
            "an extent over the superblock" => (72 + 16 + 7, [(byte)(disk[block + 72 + 16 + 7] & 0xFE), 0, 0, 0, 0, 0, (byte)(disk[block + 72 + 16 + 13] & 0x1F)]),
            "a root of extents without any" => (176 + 2, [0, 0]),
            "a root that says where another extent starts" => (176 + 4 + 7, [1]),
            "blocks without an extent" => (24, new byte[8]),
            "a directory of no size" => (56, new byte[8]),
            "a short directory longer than its inode" => (56, [0, 0, 0, 0, 0, 0, 2, 0]),
            "a short directory shorter than its names" => (56, [0, 0, 0, 0, 0, 0, 0, 10]),
            "a block of names from another place" => (8, new byte[8]),
            _ => (64 + 8, new byte[] { 9 }),
        };
        disk.Write(block + place, bytes);
        disk.Write(block + sum, Sum(disk.Read(block, length), sum));
        using GuestFileSystem files = Open(disk);
        Assert.Matches($"^{message}$", Assert.Throws<GuestException>(() => GuestReading.Read(At(files, path))).Message);
    }

    /// <summary>A root that is a file would be listed as one, and copied in the place of the destination.</summary>
    [Fact]
    public void RootThatIsAFile_IsDamage()
    {
        using PatchedDisk disk = new("xfs-v5");
        using GuestFileSystem before = Open(disk);
        byte[] number = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(number, (ulong)At(before, "/etc/os-release").Identity!);
        disk.Write(56, number);
        disk.Write(SuperblockSum, Sum(disk.Read(0, 512), SuperblockSum));
        using Guest guest = Guest.Open(disk, new GuestOptions { LeaveOpen = true });
        Assert.Equal(
            "the XFS file system on the disk can't be read: its root is not a directory",
            Assert.Throws<GuestException>(() => guest.Volumes[0].OpenFileSystem()).Message);
    }

    /// <summary>Linux doesn't ask how long a directory says it is, beyond its first block.</summary>
    [Fact]
    public void DirectoryThatSaysItIsShorter_HasAllNames()
    {
        using PatchedDisk disk = new("xfs-today");
        using GuestFileSystem before = Open(disk);
        GuestEntry entry = At(before, "/leaf");
        int count = entry.EnumerateChildren().Count();
        long inode = PlaceOf(disk, (ulong)entry.Identity!);
        disk.Write(inode + 56, [0, 0, 0, 0, 0, 0, 0x20, 0]);
        disk.Write(inode + InodeSum, Sum(disk.Read(inode, InodeLength), InodeSum));
        using GuestFileSystem files = Open(disk);
        Assert.Equal(count, At(files, "/leaf").EnumerateChildren().Count());
    }

    [Theory]
    [InlineData(88, 4)]
    [InlineData(123, 1)]
    public void SuperblockThatCannotBe_IsDamage(int place, int length)
    {
        using PatchedDisk disk = new("xfs-v5");
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill(0x23);
        disk.Write(place, bytes);
        disk.Write(SuperblockSum, Sum(disk.Read(0, 512), SuperblockSum));
        Assert.Equal("its superblock is damaged", Assert.Throws<GuestException>(() => Open(disk)).Message);
    }

    /// <summary>Damage is an error where it is, and nowhere else: never other names or bytes.</summary>
    [Theory]
    [InlineData("XDB3", "/block", "the directory is damaged: its block at byte 0 is not one of its names")]
    [InlineData("XDD3", "/leaf", "the directory is damaged: its block at byte 0 is not one of its names")]
    [InlineData("BMA3", "/sizes/extents", "its tree of extents is damaged")]
    [InlineData("XSLM", "/links/630", "the link is damaged: its target is not where it should be")]
    public void MetadataWhoseSumIsWrong_IsDamage(string magic, string path, string message)
    {
        using PatchedDisk disk = new("xfs-today");
        for (long place = 0; !Fails(disk, path); place++)
        {
            // One after the other, until it is that of this path.
            disk.Restore();
            place = disk.Find(Encoding.ASCII.GetBytes(magic), place);
            disk.Write(place, "xxxx"u8);
        }

        using GuestFileSystem files = Open(disk);
        Assert.Equal(message, Assert.Throws<GuestException>(() => GuestReading.Read(At(files, path))).Message);
        GuestReading.Read(files.Find("/etc/os-release")!);
    }

    [Fact]
    public void InodeWhoseSumIsWrong_IsDamage()
    {
        using PatchedDisk disk = new("xfs-v5");
        using (GuestFileSystem files = Open(disk))
        {
            GuestReading.Read(files.Root);
        }

        long root = disk.Find("IN"u8, 0);
        disk[root + 41] ^= 1;
        using GuestFileSystem damaged = Open(disk);
        Assert.Matches("^inode [0-9]+ is damaged$", Assert.Throws<GuestException>(() => GuestReading.Read(damaged.Root)).Message);
    }

    /// <summary>Without checksums everything is believed that can be: it ends all the same, with errors of one kind.</summary>
    [Theory]
    [InlineData("xfs-v4")]
    [InlineData("xfs-v5")]
    public void DamagedMetadata_GivesOwnErrors(string name)
    {
        using PatchedDisk disk = new(name);
        List<long> used = disk.Used();
        int faults = 0;
        for (int seed = 0; seed < Cases; seed++)
        {
            disk.Restore();
            Random random = new(seed);
            for (int i = random.Next(1, 40); i > 0; i--)
            {
                long place = used[random.Next(used.Count)];
                disk[place] = random.Next(3) switch { 0 => 0xFF, 1 => (byte)(disk[place] ^ (1 << random.Next(8))), _ => (byte)random.Next(256) };
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception? thrown = Record.Exception(() =>
            {
                using GuestFileSystem files = Open(disk);
                faults += GuestReading.ReadAll(files);
            });
            Assert.True(thrown is null or GuestException, $"{name}, seed {seed}: {thrown}");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 256 << 20, $"{name}, seed {seed}: memory");
            faults += thrown is null ? 0 : 1;
        }

        Assert.NotEqual(0, faults);
    }

    private static GuestFileSystem Open(PatchedDisk disk) => ReaderErrors.Call(() => XfsFileSystem.Open(new FileSystemSource(disk, [], GuestOptions.Default), "XFS"));

    private static bool Fails(PatchedDisk disk, string path)
    {
        using GuestFileSystem files = Open(disk);
        return Record.Exception(() => GuestReading.Read(At(files, path))) is not null;
    }

    /// <summary>Where an inode is, by its number in it.</summary>
    private static long PlaceOf(PatchedDisk disk, ulong number)
    {
        for (long place = 0; ; place++)
        {
            place = disk.Find("IN"u8, place);
            if (BinaryPrimitives.ReadUInt64BigEndian(disk.Read(place + 152, 8)) == number)
            {
                return place;
            }
        }
    }

    /// <summary>Where the first block of a kind is that belongs to an entry.</summary>
    private static long Owned(PatchedDisk disk, ReadOnlySpan<byte> magic, int owner, GuestEntry entry)
    {
        for (long place = 0; ; place++)
        {
            place = disk.Find(magic, place);
            if (BinaryPrimitives.ReadUInt64BigEndian(disk.Read(place + owner, 8)) == (ulong)entry.Identity!)
            {
                return place;
            }
        }
    }

    /// <summary>An entry, also a link.</summary>
    private static GuestEntry At(GuestFileSystem files, string path) =>
        files.Find(Path.GetDirectoryName(path)!)!.FindChild(Path.GetFileName(path))!;

    private static byte[] Sum(byte[] bytes, int place)
    {
        bytes.AsSpan(place, 4).Clear();
        uint sum = uint.MaxValue;
        foreach (byte value in bytes)
        {
            sum = BitOperations.Crc32C(sum, value);
        }

        byte[] field = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(field, ~sum);
        return field;
    }
}
