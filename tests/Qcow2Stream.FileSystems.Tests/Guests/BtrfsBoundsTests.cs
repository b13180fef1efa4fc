using System.Text;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Btrfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Btrfs that is large, or made to cost much: what is read and kept for it is counted.</summary>
public sealed class BtrfsBoundsTests
{
    private const ulong TopLevel = 5;
    private const long MostRead = 4 << 20;

    /// <summary>All names of a directory were read for one, in each snapshot when a disk was opened.</summary>
    [Fact]
    public void Name_IsFoundByItsHash()
    {
        MadeBtrfs disk = new();
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        for (ulong i = 0; i < 20_000; i++)
        {
            MadeBtrfs.AddName(tree, MadeBtrfs.Root, new BtrfsKey(257, 1, 0), $"name {i}", i + 2);
        }

        MadeBtrfs.AddInode(tree, MadeBtrfs.Root, 300_000, MadeBtrfs.FileMode, "last", "content"u8.ToArray());
        byte[] root = disk.AddTree(TopLevel, tree);
        for (ulong i = 256; i < 556; i++)
        {
            disk.Roots[new BtrfsKey(i, 132, 0)] = root;
        }

        using GuestFileSystem files = Open(disk.Finish());
        Assert.Equal("content"u8, GuestReading.Bytes(files.Find("/last")!));
        Assert.Null(files.Find("/none"));
        Assert.Null(files.Notice);
        Assert.InRange(disk.BytesRead, 1, MostRead);
    }

    /// <summary>Names of one hash are in one item, and each is found.</summary>
    [Fact]
    public void NamesOfOneHash_AreFound()
    {
        Dictionary<uint, string> hashes = [];
        List<string> names = [];
        Random random = new(1);
        while (names.Count < 4)
        {
            string name = $"{random.NextInt64():x}";
            uint hash = Castagnoli.Add(unchecked((uint)~1), Encoding.UTF8.GetBytes(name));
            if (!hashes.TryAdd(hash, name))
            {
                names.AddRange([hashes[hash], name]);
            }
        }

        MadeBtrfs disk = new();
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        ulong number = 257;
        names.ForEach(name => MadeBtrfs.AddInode(tree, MadeBtrfs.Root, number++, MadeBtrfs.FileMode, name, Encoding.UTF8.GetBytes(name)));
        disk.AddTree(TopLevel, tree);
        using GuestFileSystem files = Open(disk.Finish());
        Assert.All(names, name => Assert.Equal(Encoding.UTF8.GetBytes(name), GuestReading.Bytes(files.Find("/" + name)!)));
    }

    /// <summary>Links to links that each lead a thousand times through a directory cost its names each time.</summary>
    [Fact]
    public void Links_CostNoWholeDirectories()
    {
        MadeBtrfs disk = new();
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        for (ulong i = 0; i < 20_000; i++)
        {
            MadeBtrfs.AddName(tree, MadeBtrfs.Root, new BtrfsKey(257, 1, 0), $"name {i}", i + 2);
        }

        MadeBtrfs.AddInode(tree, MadeBtrfs.Root, 400_000, MadeBtrfs.DirectoryMode, "z");
        MadeBtrfs.AddInode(tree, MadeBtrfs.Root, 400_001, MadeBtrfs.FileMode, "file", "content"u8.ToArray());
        byte[] detour = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("z/../", 700)) + "file");
        MadeBtrfs.AddInode(tree, MadeBtrfs.Root, 400_002, MadeBtrfs.LinkMode, "etc", detour);
        disk.AddTree(TopLevel, tree);
        using GuestFileSystem files = Open(disk.Finish());
        Assert.Equal("content"u8, GuestReading.Bytes(files.Find("/etc")!));
        Assert.InRange(disk.BytesRead, 1, MostRead);
    }

    /// <summary>Subvolumes in each other, each many long names deeper, had paths of megabytes; and so had the message that names them.</summary>
    [Fact]
    public void PathsOfSubvolumes_AreBounded()
    {
        using GuestFileSystem files = Open(Nested(subvolumes: 200, depth: 50, 'n', 255));
        IReadOnlyList<GuestSubvolume> list = files.GetSubvolumes();
        Assert.Equal(201, list.Count);
        Assert.Equal(50 * 256, list[1].Path!.Length - 1);
        Assert.All(list.Skip(2), each => Assert.Equal($"the path of subvolume {each.Number} has more than 16384 bytes, or goes round in circles", each.PathFault));
        Assert.InRange(
            Assert.Throws<GuestException>(() => Open(Nested(200, 50, 'n', 255), new GuestOptions { Subvolume = new string('x', 5000) })).Message.Length, 1, 4000);
    }

    /// <summary>All paths together are bounded, too: what comes after is listed without.</summary>
    [Fact]
    public void AllPathsTogether_AreBounded()
    {
        MadeBtrfs disk = new();
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        ulong directory = MadeBtrfs.Root;
        for (ulong i = 0; i < 60; i++)
        {
            MadeBtrfs.AddInode(tree, directory, 257 + i, MadeBtrfs.DirectoryMode, new string('d', 255));
            directory = 257 + i;
        }

        byte[] root = disk.AddTree(TopLevel, tree);
        for (ulong i = 256; i < 1256; i++)
        {
            disk.Roots[new BtrfsKey(i, 132, 0)] = root;
            disk.AddReference(i, TopLevel, directory, $"s{i}");
        }

        using GuestFileSystem files = Open(disk.Finish());
        IReadOnlyList<GuestSubvolume> list = files.GetSubvolumes();
        Assert.Equal(1001, list.Count);
        Assert.InRange(list.Sum(each => each.Path?.Length ?? 0), 1 << 20, (4 << 20) + (16 << 10));
        Assert.Equal("the paths of those before it are too long together", list[^1].PathFault);
    }

    /// <summary>A subvolume below 300 directories is one of a healthy disk.</summary>
    [Fact]
    public void SubvolumeInDeepDirectories_HasAPath()
    {
        using Guest guest = Guest.Open(Nested(subvolumes: 1, depth: 300, 'd', 1));
        VolumeReport report = guest.Report(fault => Assert.Fail(fault.Message)).Single();
        Assert.Equal(string.Concat(Enumerable.Repeat("d/", 300)) + "s", report.Subvolumes[1].Path);
    }

    /// <summary>What says where subvolumes are goes round in circles, or isn't there: the file system is told with its list, and the fault once.</summary>
    [Theory]
    [InlineData(true, "the path of subvolume 256 is not known, nor those of 9 others: the path of subvolume 256 has more than 16384 bytes, or goes round in circles")]
    [InlineData(false, "the path of subvolume 256 is not known, nor those of 9 others: subvolume 256 is nowhere")]
    public void SubvolumesThatAreNowhere_CostNoFileSystem(bool isCircle, string message)
    {
        MadeBtrfs disk = new();
        byte[] root = disk.AddTree(TopLevel, MadeBtrfs.Directory());
        for (ulong i = 256; i < 266; i++)
        {
            disk.Roots[new BtrfsKey(i, 132, 0)] = root;
            if (isCircle)
            {
                disk.AddReference(i, i == 265 ? 256 : i + 1, MadeBtrfs.Root, "s");
            }
        }

        List<string> faults = [];
        using Guest guest = Guest.Open(disk.Finish());
        VolumeReport report = guest.Report(fault => faults.Add(fault.Message)).Single();
        Assert.Equal([message], faults);
        Assert.Equal("made", report.Label);
        Assert.NotNull(report.Usage);
        Assert.Equal(11, report.Subvolumes.Count);
        Assert.All(report.Subvolumes.Skip(1), each => Assert.Null(each.Path));
        using MemoryStream json = new();
        guest.WriteJson([report], json);
        Assert.Contains("\"path-fault\": \"", Encoding.UTF8.GetString(json.ToArray()), StringComparison.Ordinal);
    }

    /// <summary>A table of mounts of thousands of lines that lead in circles: each path is looked for once, a few are told, and the rest is counted.</summary>
    [Fact]
    public void TableOfManyMounts_IsCut()
    {
        MadeBtrfs disk = new();
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        MadeBtrfs.AddInode(tree, MadeBtrfs.Root, 257, MadeBtrfs.DirectoryMode, "etc");
        string table = "x / btrfs subvolid=5\n" + string.Concat(Enumerable.Repeat("x /etc btrfs subvol=loop\n", 400));
        MadeBtrfs.AddInode(tree, 257, 258, MadeBtrfs.FileMode, "fstab", Encoding.UTF8.GetBytes(table));
        MadeBtrfs.AddInode(tree, MadeBtrfs.Root, 259, MadeBtrfs.LinkMode, "loop", "loop"u8.ToArray());
        byte[] root = disk.AddTree(TopLevel, tree);
        disk.Roots[new BtrfsKey(256, 132, 0)] = root;
        disk.AddReference(256, TopLevel, MadeBtrfs.Root, "s");
        using GuestFileSystem files = Open(disk.Finish(), new GuestOptions { ShowMounts = true });
        Assert.StartsWith("what is mounted on /etc can't be read: too many links lead to 'loop'; ", files.Notice, StringComparison.Ordinal);
        Assert.EndsWith("; only the first 256 of 401 lines of its table of mounts were looked at; and 247 more faults", files.Notice, StringComparison.Ordinal);
        Assert.InRange(files.Notice!.Length, 1, 2000);
        Assert.Equal(["/", null], files.GetSubvolumes().Select(each => each.MountPoint));
    }

    /// <summary>Sums of sizes that no number holds, many devices, and a tree that is looked up for each chunk.</summary>
    [Fact]
    public void Usage_OfManyDevicesAndChunks_IsTold()
    {
        MadeBtrfs disk = new();
        disk.AddTree(TopLevel, MadeBtrfs.Directory());
        byte[] root = disk.AddTree(11, []);
        for (ulong i = 2; i < 20_000; i++)
        {
            disk.AddDevice(i, (1ul << 60) + (i << 21), 0);
        }

        for (ulong i = 0; i < 4000; i++)
        {
            disk.AddChunk((1ul << 45) + (i << 20), MadeBtrfs.Chunk(1 << 20, 9, [(MadeBtrfs.Device, 0)]));
            disk.Roots[new BtrfsKey(11, 132, i)] = root;
        }

        BtrfsVolume volume = new(new FileSystemSource(disk.Finish(), [], GuestOptions.Default));
        long before = volume.Work;
        FileSystemUsage usage = BtrfsUsage.Of(volume);
        Assert.Equal(long.MaxValue, usage.AvailableBytes);
        Assert.InRange(volume.Work - before, 1, 50_000);
    }

    /// <summary>Small parts of one compressed extent, each of which decoded a mebibyte.</summary>
    [Fact]
    public void PartsOfOneExtent_DecodeItOnce()
    {
        MadeBtrfs disk = new();
        byte[] content = [.. Enumerable.Range(0, 128 << 10).Select(i => (byte)(i >> 12))];
        byte[] stored = BtrfsDecoderTests.Compress(1, content);
        ulong address = disk.AddData(stored);
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        MadeBtrfs.AddInode(tree, MadeBtrfs.Root, 257, MadeBtrfs.FileMode, "file");
        int sectors = content.Length / MadeBtrfs.SectorSize;
        tree[new BtrfsKey(257, 1, 0)] = MadeBtrfs.Inode(MadeBtrfs.FileMode, content.Length);
        for (int i = 0; i < sectors; i++)
        {
            int from = sectors - 1 - i;
            tree[new BtrfsKey(257, 108, (ulong)(i * MadeBtrfs.SectorSize))] =
                MadeBtrfs.Extent(address, 4096, from * MadeBtrfs.SectorSize, MadeBtrfs.SectorSize, content.Length, 1);
        }

        disk.AddTree(TopLevel, tree);
        using GuestFileSystem files = Open(disk.Finish());
        GuestEntry file = files.Find("/file")!;
        long before = disk.BytesRead;
        byte[] read = GuestReading.Bytes(file);
        Assert.Equal(content.Chunk(MadeBtrfs.SectorSize).Reverse().SelectMany(sector => sector), read);
        Assert.InRange(disk.BytesRead - before, 1, 5 * MadeBtrfs.NodeSize);
    }

    /// <summary>Subvolumes in each other, each below directories with names of one length.</summary>
    private static MadeBtrfs Nested(ulong subvolumes, ulong depth, char letter, int length)
    {
        MadeBtrfs disk = new();
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        ulong directory = MadeBtrfs.Root;
        for (ulong i = 0; i < depth; i++)
        {
            MadeBtrfs.AddInode(tree, directory, 257 + i, MadeBtrfs.DirectoryMode, new string(letter, length));
            directory = 257 + i;
        }

        byte[] root = disk.AddTree(TopLevel, tree);
        for (ulong i = 0; i < subvolumes; i++)
        {
            disk.Roots[new BtrfsKey(256 + i, 132, 0)] = root;
            disk.AddReference(256 + i, i == 0 ? TopLevel : 255 + i, directory, "s");
        }

        return disk.Finish();
    }

    private static GuestFileSystem Open(MadeBtrfs disk, GuestOptions? options = null) =>
        ReaderErrors.Call(() => BtrfsFileSystem.Open(new FileSystemSource(disk, [], options ?? GuestOptions.Default), "Btrfs"));
}
