using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Btrfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>What Linux refuses of trees whose checksums are right: nothing of it may become a wrong byte.</summary>
public sealed class BtrfsDamageTests
{
    private const ulong TopLevel = 5;
    private const ulong Number = 257;
    private const int Header = 101;
    private const int ItemLength = 25;
    private const ulong Data = 1;
    private const ulong Metadata = 4;
    private const ulong Far = 1ul << 40;

    /// <summary>Chunks as no mkfs makes them, of as many stripes on the one device as are said.</summary>
    [Theory]
    [InlineData(Data | 0x100, 5, 1, "its chunk at address 1099511627776 is damaged: a device has two of its stripes")]
    [InlineData(Data | 0x80, 3, 1, "its chunk at address 1099511627776 is damaged: a device has two of its stripes")]
    [InlineData(Data | 0x8, 2, 1, "its chunk at address 1099511627776 is damaged: a device has two of its stripes")]
    [InlineData(Data | 0x10, 2, 1, "its chunk at address 1099511627776 is damaged: a device has two of its stripes")]
    [InlineData(Data | 0x10, 3, 1, "its chunk at address 1099511627776 is damaged")]
    [InlineData(Data | 0x100, 2, 1, "its chunk at address 1099511627776 is damaged")]
    [InlineData(Data | 0x80, 1, 1, "its chunk at address 1099511627776 is damaged")]
    [InlineData(Data | 0x40, 4, 1, "its chunk at address 1099511627776 is damaged")]
    [InlineData(Data | 0x40, 3, 2, "its chunk at address 1099511627776 is damaged")]
    [InlineData(Data | 0x20, 1, 1, "its chunk at address 1099511627776 is damaged")]
    [InlineData(Data, 0, 1, "its chunk at address 1099511627776 is damaged")]
    [InlineData(0, 1, 1, "its chunk at address 1099511627776 is damaged")]
    [InlineData(Metadata | 2, 1, 1, "its chunk at address 1099511627776 is damaged")]
    [InlineData(Metadata | Data, 1, 1, "its chunk at address 1099511627776 is damaged")]
    public void ChunkThatLinuxRefuses_IsDamage(ulong type, int stripes, int sub, string message)
    {
        MadeBtrfs disk = new();
        disk.AddTree(TopLevel, MadeBtrfs.Directory());
        disk.AddChunk(Far, MadeBtrfs.Chunk(1 << 20, type, [.. Enumerable.Repeat((MadeBtrfs.Device, MadeBtrfs.Meta), stripes)], sub));
        Assert.Equal(message, Assert.Throws<GuestException>(() => Open(disk)).Message);
    }

    /// <summary>From 256 columns on the second sum of a row is no sum any more: arrays of powers ended there.</summary>
    [Theory]
    [InlineData(257, null)]
    [InlineData(258, "its chunk at address 1099511627776 is spread over 258 devices, more than RAID6 can have")]
    public void ChunkOfMoreColumnsThanSumsCanHave_IsRefused(int stripes, string? message)
    {
        MadeBtrfs disk = new();
        disk.AddTree(TopLevel, MadeBtrfs.Directory());
        disk.AddChunk(Far, MadeBtrfs.Chunk(1 << 20, Data | 0x100, [.. Enumerable.Range(1, stripes).Select(i => ((UInt128)i, MadeBtrfs.Meta))]));
        Assert.Equal(message, Record.Exception(() => Open(disk).Dispose())?.Message);
    }

    /// <summary>Addresses and lengths that aren't those of sectors, and sectors of another size.</summary>
    [Theory]
    [InlineData(0, 512, (1 << 20) + 512)]
    [InlineData(0, 0, 0)]
    [InlineData(16, 0, 32768)]
    [InlineData(40, 0, 8192)]
    public void ChunkWhoseNumbersAreWrong_IsDamage(int place, ulong more, int value)
    {
        MadeBtrfs disk = new();
        disk.AddTree(TopLevel, MadeBtrfs.Directory());
        byte[] chunk = MadeBtrfs.Chunk(1 << 20, Data, [(MadeBtrfs.Device, MadeBtrfs.Meta)]);
        BinaryPrimitives.WriteInt32LittleEndian(chunk.AsSpan(place), value);
        disk.AddChunk(Far + more, chunk);
        Assert.Equal($"its chunk at address {Far + more} is damaged", Assert.Throws<GuestException>(() => Open(disk)).Message);
    }

    /// <summary>Two items that say the same bytes are theirs gave one file's content for another's, with exit code 0.</summary>
    [Theory]
    [InlineData("shared")]
    [InlineData("gap")]
    [InlineData("into the items")]
    [InlineData("not written")]
    [InlineData("of another tree")]
    public void LeafThatLinuxRefuses_IsDamage(string what)
    {
        MadeBtrfs disk = new();
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        MadeBtrfs.AddInode(tree, MadeBtrfs.Root, Number, MadeBtrfs.FileMode, "file", "content"u8.ToArray());
        disk.Change = leaf =>
        {
            Span<byte> last = leaf.AsSpan(Header + (ItemLength * (tree.Count - 1)) + 17);
            switch (what)
            {
                case "shared":
                    leaf.AsSpan(Header + 17, 4).CopyTo(last);
                    break;
                case "gap":
                    BinaryPrimitives.WriteInt32LittleEndian(last, BinaryPrimitives.ReadInt32LittleEndian(last) - 1);
                    break;
                case "into the items":
                    int end = BinaryPrimitives.ReadInt32LittleEndian(last) + BinaryPrimitives.ReadInt32LittleEndian(last[4..]);
                    BinaryPrimitives.WriteInt32LittleEndian(last, 10);
                    BinaryPrimitives.WriteInt32LittleEndian(last[4..], end - 10);
                    break;
                case "not written":
                    leaf[56] = 0;
                    break;
                default:
                    leaf[88] = 7;
                    break;
            }
        };
        disk.AddTree(TopLevel, tree);
        Assert.StartsWith("its tree is damaged at address ", Fault(disk), StringComparison.Ordinal);
    }

    /// <summary>Which of two extents has a byte of the file can't be said.</summary>
    [Theory]
    [InlineData(0, 8192, 4096, 8192, "its extent at byte 0 is damaged: it overlaps another")]
    [InlineData(4096, 8192, 8192, 4096, "its extent at byte 4096 is damaged: it overlaps another")]
    [InlineData(0, 8192, 8192, 4096, null)]
    public void ExtentsThatOverlap_AreDamage(int first, int firstLength, int second, int secondLength, string? message)
    {
        MadeBtrfs disk = new();
        ulong address = disk.AddData(new byte[MadeBtrfs.NodeSize]);
        SortedDictionary<BtrfsKey, byte[]> tree = OneFile(3 * MadeBtrfs.SectorSize);
        tree[new BtrfsKey(Number, 108, (ulong)first)] = MadeBtrfs.Extent(address, MadeBtrfs.NodeSize, 0, firstLength, MadeBtrfs.NodeSize);
        tree[new BtrfsKey(Number, 108, (ulong)second)] = MadeBtrfs.Extent(address, MadeBtrfs.NodeSize, 0, secondLength, MadeBtrfs.NodeSize);
        disk.AddTree(TopLevel, tree);
        Assert.Equal(message, Fault(disk));
    }

    /// <summary>Extents as no Linux writes them.</summary>
    [Theory]
    [InlineData("inline, shorter than it says", 0)]
    [InlineData("inline, longer than it says", 0)]
    [InlineData("inline, at a place", 4096)]
    [InlineData("not of sectors", 0)]
    [InlineData("at no sector", 0)]
    [InlineData("decoded to more than Linux compresses", 0)]
    [InlineData("with more behind it", 0)]
    public void ExtentThatLinuxRefuses_IsDamage(string what, int place)
    {
        MadeBtrfs disk = new();
        ulong address = disk.AddData(new byte[MadeBtrfs.NodeSize]);
        SortedDictionary<BtrfsKey, byte[]> tree = OneFile(place + 50);
        tree[new BtrfsKey(Number, 108, (ulong)place)] = what switch
        {
            "inline, shorter than it says" => MadeBtrfs.Inline(new byte[49], 50),
            "inline, longer than it says" => MadeBtrfs.Inline(new byte[51], 50),
            "inline, at a place" => MadeBtrfs.Inline(new byte[50], 50),
            "not of sectors" => MadeBtrfs.Extent(address, 4096, 0, 512, 4096),
            "at no sector" => MadeBtrfs.Extent(address + 512, 4096, 0, 4096, 4096),
            "decoded to more than Linux compresses" => MadeBtrfs.Extent(address, 4096, 0, 4096, 1 << 20, 1),
            _ => [.. MadeBtrfs.Extent(address, 4096, 0, 4096, 4096), 0],
        };
        disk.AddTree(TopLevel, tree);
        Assert.Matches($"^its extent at byte {place} is damaged$|^its tree is damaged: the item of type 108 of object 257 is too long$", Fault(disk));
    }

    /// <summary>Compressed data in the tree must be all there: what was missing was zeros.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void InlineDataThatIsTooShort_IsDamage(byte compression)
    {
        MadeBtrfs disk = new();
        SortedDictionary<BtrfsKey, byte[]> tree = OneFile(240);
        tree[new BtrfsKey(Number, 108, 0)] = MadeBtrfs.Inline(BtrfsDecoderTests.Compress(compression, new byte[100]), 240, compression);
        disk.AddTree(TopLevel, tree);
        Assert.Equal("only 100 of 240 bytes come out of its compressed data", Fault(disk));
    }

    /// <summary>Names that lead to nothing that a name can, and inodes with flags whose meaning isn't known.</summary>
    [Theory]
    [InlineData(84, 0, "the directory is damaged: a name is none")]
    [InlineData(1, 0x10000, "inode 257 has flags that are not known (0x10000)")]
    [InlineData(1, 0, null)]
    public void NameOrInodeThatIsNotKnown_IsRefused(byte target, uint flags, string? message)
    {
        MadeBtrfs disk = new();
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        byte[] inode = MadeBtrfs.Inode(MadeBtrfs.FileMode, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(inode.AsSpan(64), flags);
        tree[new BtrfsKey(Number, 1, 0)] = inode;
        MadeBtrfs.AddName(tree, MadeBtrfs.Root, new BtrfsKey(Number, target, 0), "file", 2);
        disk.AddTree(TopLevel, tree);
        Assert.Equal(message, Fault(disk));
    }

    private static SortedDictionary<BtrfsKey, byte[]> OneFile(long length)
    {
        SortedDictionary<BtrfsKey, byte[]> tree = MadeBtrfs.Directory();
        MadeBtrfs.AddInode(tree, MadeBtrfs.Root, Number, MadeBtrfs.FileMode, "file");
        tree[new BtrfsKey(Number, 1, 0)] = MadeBtrfs.Inode(MadeBtrfs.FileMode, length);
        return tree;
    }

    private static string? Fault(MadeBtrfs disk) => Record.Exception(() =>
    {
        using GuestFileSystem files = Open(disk);
        _ = GuestReading.Bytes(files.Find("/file")!);
    })?.Message;

    private static GuestFileSystem Open(MadeBtrfs disk) =>
        ReaderErrors.Call(() => BtrfsFileSystem.Open(new FileSystemSource(disk.Finish(), [], GuestOptions.Default), "Btrfs"));
}
