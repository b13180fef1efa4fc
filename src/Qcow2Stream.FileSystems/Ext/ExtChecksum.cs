using System.Buffers.Binary;
using System.Numerics;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>
/// The checksums of metadata: the CRC of Castagnoli, over all bytes with those of the sum as zeros, that goes on from a seed of the volume or of the inode.
/// Older volumes have a CRC of 16 bits, for descriptors of groups alone.
/// </summary>
internal static class ExtChecksum
{
    private const ushort SmallPolynomial = 0xA001;
    private static readonly ushort[] SmallTable = [.. Enumerable.Range(0, 256).Select(SmallOf)];

    /// <summary>Whether the superblock's is right: it is the one that doesn't go on from a seed.</summary>
    public static bool IsRightSuperblock(ReadOnlySpan<byte> superblock) =>
        Castagnoli.Add(uint.MaxValue, superblock[..ExtLayout.Superblock.Checksum]) == Long(superblock, ExtLayout.Superblock.Checksum);

    /// <summary>Whether the checksum of a group's descriptor is right, if there are any.</summary>
    public static bool IsRightDescriptor(ExtSuperblock superblock, uint group, ReadOnlySpan<byte> descriptor)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(number, group);
        ushort told = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[ExtLayout.Descriptor.Checksum..]);
        if (superblock.ChecksumSeed is { } seed)
        {
            return told == (ushort)Sum(Castagnoli.Add(seed, number), descriptor, ExtLayout.Descriptor.Checksum, descriptor.Length);
        }

        if (!superblock.HasDescriptorChecksums)
        {
            return true;
        }

        ushort sum = SmallSum(SmallSum(SmallSum(ushort.MaxValue, superblock.Uuid), number), descriptor[..ExtLayout.Descriptor.Checksum]);
        return told == SmallSum(sum, descriptor[(ExtLayout.Descriptor.Checksum + sizeof(ushort))..]);
    }

    /// <summary>What the checksums of an inode, of its directory's blocks and of its extents' blocks go on from.</summary>
    public static uint SeedOf(uint seed, uint number, ReadOnlySpan<byte> inode) => BitOperations.Crc32C(
        BitOperations.Crc32C(seed, number), Long(inode, ExtLayout.Inode.Generation));

    /// <summary>Whether an inode's is right: half of its bits in small inodes.</summary>
    public static bool IsRightInode(uint inodeSeed, ReadOnlySpan<byte> inode)
    {
        bool hasHigh = inode.Length > ExtLayout.Inode.BaseLength
            && BinaryPrimitives.ReadUInt16LittleEndian(inode[ExtLayout.Inode.ExtraLength..]) >= ExtLayout.Inode.ChecksumHigh + 2 - ExtLayout.Inode.BaseLength;
        int end = hasHigh ? ExtLayout.Inode.ChecksumHigh : inode.Length;
        uint sum = Sum(inodeSeed, inode, ExtLayout.Inode.Checksum, end);
        ushort low = BinaryPrimitives.ReadUInt16LittleEndian(inode[ExtLayout.Inode.Checksum..]);
        if (!hasHigh)
        {
            return low == (ushort)sum;
        }

        sum = BitOperations.Crc32C(sum, (ushort)0);
        sum = Castagnoli.Add(sum, inode[(ExtLayout.Inode.ChecksumHigh + sizeof(ushort))..]);
        return sum == (low | ((uint)BinaryPrimitives.ReadUInt16LittleEndian(inode[ExtLayout.Inode.ChecksumHigh..]) << 16));
    }

    /// <summary>Whether that of a block of extents is right: it stands behind the last that there is room for.</summary>
    public static bool IsRightNode(uint inodeSeed, ReadOnlySpan<byte> node)
    {
        int place = (BinaryPrimitives.ReadUInt16LittleEndian(node[ExtLayout.Extent.MaxEntries..]) + 1) * ExtLayout.Extent.EntryLength;
        return place + sizeof(uint) <= node.Length && Castagnoli.Add(inodeSeed, node[..place]) == Long(node, place);
    }

    /// <summary>
    /// Whether that of a directory's block is right. It stands in a last record that is no name, or behind the last entry of an index that there is room for.
    /// An index looks like one record as long as the block, or as what is left behind the first.
    /// </summary>
    public static bool IsRightNames(uint inodeSeed, ReadOnlySpan<byte> block)
    {
        int index = PlaceOfIndex(block);
        if (index == 0)
        {
            int tail = block.Length - ExtLayout.Name.TailLength;
            return tail >= 0 && Long(block, tail) == 0 && Long(block, tail + ExtLayout.Name.RecordLength) == ExtLayout.Name.TailMark
                && Castagnoli.Add(inodeSeed, block[..tail]) == Long(block, tail + ExtLayout.Name.TailChecksum);
        }

        int limit = BinaryPrimitives.ReadUInt16LittleEndian(block[index..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(block[(index + ExtLayout.Index.Count)..]);
        int place = index + (limit * ExtLayout.Index.EntryLength);
        if (count > limit || place + ExtLayout.Index.TailLength > block.Length)
        {
            return false;
        }

        uint sum = Castagnoli.Add(inodeSeed, block[..(index + (count * ExtLayout.Index.EntryLength))]);
        sum = BitOperations.Crc32C(BitOperations.Crc32C(sum, Long(block, place)), 0u);
        return sum == Long(block, place + ExtLayout.Index.TailChecksum);
    }

    /// <summary>Where the entries of an index begin; 0 if a block has names.</summary>
    private static int PlaceOfIndex(ReadOnlySpan<byte> block)
    {
        if (block.Length < ExtLayout.Index.RootEntries + ExtLayout.Index.EntryLength)
        {
            return 0;
        }

        if (RecordLength(block, 0) == block.Length)
        {
            return ExtLayout.Index.Entries;
        }

        return RecordLength(block, 0) == ExtLayout.Index.ParentRecord
            && RecordLength(block, ExtLayout.Index.ParentRecord) == block.Length - ExtLayout.Index.ParentRecord
            ? ExtLayout.Index.RootEntries
            : 0;
    }

    private static int RecordLength(ReadOnlySpan<byte> block, int record)
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(block[(record + ExtLayout.Name.RecordLength)..]);
        return length is 0 or ushort.MaxValue ? block.Length : length;
    }

    /// <summary>Goes on with bytes up to a place, with two of them as zeros.</summary>
    private static uint Sum(uint sum, ReadOnlySpan<byte> bytes, int zeros, int end)
    {
        sum = BitOperations.Crc32C(Castagnoli.Add(sum, bytes[..zeros]), (ushort)0);
        return Castagnoli.Add(sum, bytes[(zeros + sizeof(ushort))..end]);
    }

    private static ushort SmallSum(ushort sum, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            sum = (ushort)((sum >> 8) ^ SmallTable[(byte)(sum ^ value)]);
        }

        return sum;
    }

    private static ushort SmallOf(int value)
    {
        int sum = value;
        for (int bit = 0; bit < 8; bit++)
        {
            sum = (sum >> 1) ^ ((sum & 1) == 0 ? 0 : SmallPolynomial);
        }

        return (ushort)sum;
    }

    private static uint Long(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
}
