using System.Buffers.Binary;
using System.Globalization;
using Qcow2Stream.FileSystems.Ext;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>What the features of ext change of an inode and of its map, on the partitions of one disk. Their trees are in GuestTreeTests.</summary>
public sealed class ExtFeatureTests
{
    private const int PartitionLength = 20;

    /// <summary>
    /// Files that are named by their times: to a tenth of a microsecond, before 1970, and past 2038 where inodes have room for that. The last second that there
    /// is has no parts: one name has them.
    /// </summary>
    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 4)]
    [InlineData(3, 1)]
    [InlineData(4, 4)]
    public void Times_AreToTheTick(int partition, int right)
    {
        using GuestFileSystem files = Disk(partition).Open();
        GuestEntry[] entries = [.. files.Find("/times")!.EnumerateChildren()];
        Assert.Equal(5, entries.Length);
        Assert.Equal(right, entries.Count(entry => entry.ModifiedUtc
            == DateTime.Parse(entry.Name, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Owners_HaveAllTheirBits(int partition)
    {
        using GuestFileSystem files = Disk(partition).Open();
        GuestUnixMode mode = files.Find("/sizes/one")!.UnixMode!.Value;
        Assert.Equal((0xFFFFFFF0, 0x87654321), (mode.UserId, mode.GroupId));
    }

    /// <summary>As the kernel counts them.</summary>
    [Theory]
    [InlineData(1, 18643 * 1024)]
    [InlineData(2, 12896 * 1024)]
    [InlineData(3, 18815 * 1024)]
    [InlineData(4, 17089 * 1024)]
    public void FreeBytes_AreThoseOfTheGroups(int partition, long free)
    {
        ExtDisk disk = Disk(partition);
        using GuestFileSystem files = disk.Open();
        Assert.Equal(free, files.GetUsage()!.Value.AvailableBytes);
    }

    [Fact]
    public void EncryptedFiles_AreTold()
    {
        ExtDisk disk = new("ext2");
        disk.Inode("/etc/os-release")[ExtLayout.Inode.Flags + 1] |= (byte)(ExtLayout.Inode.IsEncrypted >> 8);
        disk.Inode("/names")[ExtLayout.Inode.Flags + 1] |= (byte)(ExtLayout.Inode.IsEncrypted >> 8);
        disk.Inode("/links/dangling")[ExtLayout.Inode.Flags + 1] |= (byte)(ExtLayout.Inode.IsEncrypted >> 8);
        Assert.Equal("it is encrypted (fscrypt)", disk.Fault("/etc/os-release", file => file.CopyContentTo(Stream.Null)));
        Assert.Equal("it is encrypted (fscrypt)", disk.Fault("/names", folder => _ = folder.EnumerateChildren().Count()));
        Assert.Equal("it is encrypted (fscrypt)", disk.Fault("/links", folder =>
            _ = folder.EnumerateChildren().Single(entry => entry.Name == "dangling").LinkTarget));
    }

    /// <summary>A name that was left behind: what was the file's may be another's now.</summary>
    [Fact]
    public void NameOfADeletedFile_IsDamage()
    {
        ExtDisk disk = new("ext2");
        disk.Inode("/etc/os-release")[ExtLayout.Inode.Links] = 0;
        string fault = disk.Fault("/etc", folder => _ = folder.EnumerateChildren().Single().Kind);
        Assert.EndsWith(", which is not in use", fault, StringComparison.Ordinal);
    }

    /// <summary>What is the high half of a file's size was a field of attributes in directories.</summary>
    [Fact]
    public void SizeOfADirectory_HasNoHighHalf()
    {
        ExtDisk disk = new("ext2");
        disk.Inode("/etc")[ExtLayout.Inode.SizeHigh] = 1;
        using GuestFileSystem files = disk.Open();
        Assert.Equal("os-release", files.Find("/etc")!.EnumerateChildren().Single().Name);
    }

    [Fact]
    public void LinkWithoutBlocksThatIsTooLong_IsDamaged()
    {
        ExtDisk disk = new("ext2");
        disk.Inode("/links/dangling")[ExtLayout.Inode.Size] = 60;
        Assert.Equal("its target is damaged: 60 bytes, without a block", disk.Fault("/links", folder =>
            _ = folder.EnumerateChildren().Single(entry => entry.Name == "dangling").LinkTarget));
    }

    /// <summary>The nodes of a file's extents, in inode and blocks, with one field that can't be.</summary>
    [Theory]
    [InlineData(0, 1, ExtLayout.Extent.Depth)]
    [InlineData(0, 6, ExtLayout.Extent.Depth)]
    [InlineData(0, 5, ExtLayout.Extent.Entries)]
    [InlineData(0, 0, ExtLayout.Extent.Entries)]
    [InlineData(1, 0, ExtLayout.Extent.Depth)]
    [InlineData(1, 200, ExtLayout.Extent.EntryLength + ExtLayout.Extent.FileBlock)]
    [InlineData(2, 1, ExtLayout.Extent.Depth)]
    [InlineData(1, 0, ExtLayout.Extent.MaxEntries)]
    [InlineData(2, 0, ExtLayout.Extent.EntryLength + ExtLayout.Extent.BlockCount)]
    [InlineData(2, 3, ExtLayout.Extent.EntryLength + ExtLayout.Extent.BlockCount)]
    [InlineData(2, 100, ExtLayout.Extent.EntryLength + ExtLayout.Extent.FileBlock)]
    public void TreeOfExtentsThatCantBe_IsDamaged(int level, byte value, int field)
    {
        ExtDisk disk = Disk(2);
        Span<byte> map = disk.Inode("/sizes/extents").Slice(ExtLayout.Inode.Map, ExtLayout.Inode.MapLength);
        for (int i = 0; i < level; i++)
        {
            int block = (int)BinaryPrimitives.ReadUInt32LittleEndian(map[(ExtLayout.Extent.EntryLength + ExtLayout.Extent.Node)..]);
            map = disk.Bytes.AsSpan(block * disk.BlockSize, disk.BlockSize);
        }

        map[field] = value;
        map[field + 1] = 0;
        Assert.StartsWith("its extent tree is damaged", disk.Fault("/sizes/extents", file => file.CopyContentTo(Stream.Null)), StringComparison.Ordinal);
    }

    private static ExtDisk Disk(int partition) => new("ext-features", 1 + ((partition - 1) * PartitionLength), PartitionLength);
}
