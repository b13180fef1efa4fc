using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Ext;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>One bit that is wrong in each kind of metadata is told with its place. That right ones are taken for right, all trees of disks show.</summary>
public sealed class ExtChecksumTests
{
    [Theory]
    [InlineData("ext4", 0, 0)]
    [InlineData("ext-features", 61, 20)]
    public void Superblock_IsTold(string name, int start, int length)
    {
        ExtDisk disk = new(name, start, length);
        disk.Superblock[ExtLayout.Superblock.Label] ^= 1;
        Assert.Equal("its superblock is damaged: the checksum is wrong", Assert.Throws<GuestException>(disk.Open).Message);
    }

    [Theory]
    [InlineData("ext4", 0, 0, 1)]
    [InlineData("ext-features", 21, 20, 2)]
    [InlineData("ext-features", 61, 20, 2)]
    public void Descriptor_IsTold(string name, int start, int length, int block)
    {
        ExtDisk disk = new(name, start, length);
        disk.Descriptor(0)[ExtLayout.Descriptor.FreeBlocks] ^= 1;
        Assert.Equal($"the descriptor of group 0 is damaged: the checksum is wrong, in block {block}", Assert.Throws<GuestException>(disk.Open).Message);
    }

    /// <summary>Small and large ones; a half of the bits of the sum, and all.</summary>
    [Theory]
    [InlineData("ext4", 0, 0, ExtLayout.Inode.Modified)]
    [InlineData("ext4", 0, 0, ExtLayout.Inode.Checksum)]
    [InlineData("ext4", 0, 0, ExtLayout.Inode.ChecksumHigh)]
    [InlineData("ext-features", 61, 20, 1023)]
    public void Inode_IsTold(string name, int start, int length, int field)
    {
        ExtDisk disk = new(name, start, length);
        disk.Inode("/etc/os-release")[field] ^= 0x10;
        string fault = disk.Fault("/etc", folder => _ = folder.EnumerateChildren().Single(entry => entry.Name == "os-release").Kind);
        Assert.Matches("^inode [0-9]+ is damaged: the checksum is wrong, in block [0-9]+$", fault);
    }

    [Fact]
    public void BlockOfExtents_IsTold()
    {
        ExtDisk disk = new("ext-features", 61, 20);
        uint block = BlockOf(disk, "/sizes/extents", 0);
        disk.Bytes[(block * disk.BlockSize) + (5 * ExtLayout.Extent.EntryLength) + ExtLayout.Extent.Block] ^= 1;
        Assert.Equal(
            $"its extent tree is damaged in block {block}: the checksum is wrong", disk.Fault("/sizes/extents", file => file.CopyContentTo(Stream.Null)));
    }

    /// <summary>In an index, and in names; a directory without an index too.</summary>
    [Theory]
    [InlineData("/many", 0, ExtLayout.Index.RootEntries + ExtLayout.Index.EntryLength)]
    [InlineData("/many", 1, 100)]
    [InlineData("/etc", 0, 30)]
    public void BlockOfADirectory_IsTold(string path, int number, int place)
    {
        ExtDisk disk = new("ext4");
        uint block = BlockOf(disk, path, number);
        disk.Bytes[(block * disk.BlockSize) + place] ^= 1;
        Assert.Equal(
            $"the directory is damaged: the checksum of block {block} is wrong, at byte {number * disk.BlockSize}",
            disk.Fault(path, folder => _ = folder.EnumerateChildren().Count()));
    }

    /// <summary>Where a block of a file is, or the first node of its extents, by what its inode says.</summary>
    private static uint BlockOf(ExtDisk disk, string path, int number)
    {
        ReadOnlySpan<byte> map = disk.Inode(path).Slice(ExtLayout.Inode.Map, ExtLayout.Inode.MapLength);
        for (int at = ExtLayout.Extent.EntryLength; at < map.Length; at += ExtLayout.Extent.EntryLength)
        {
            ReadOnlySpan<byte> entry = map[at..];
            if (map[ExtLayout.Extent.Depth] > 0)
            {
                return BinaryPrimitives.ReadUInt32LittleEndian(entry[ExtLayout.Extent.Node..]);
            }

            int skipped = number - BinaryPrimitives.ReadInt32LittleEndian(entry);
            if (skipped >= 0 && skipped < entry[ExtLayout.Extent.BlockCount])
            {
                return BinaryPrimitives.ReadUInt32LittleEndian(entry[ExtLayout.Extent.Block..]) + (uint)skipped;
            }
        }

        throw new InvalidOperationException("not there");
    }
}
