using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>
/// An Apple partition map: a descriptor in the first block says how large blocks are, and each block after it is an entry (Inside Macintosh:
/// Devices, 3-12).
/// </summary>
internal static class AppleMap
{
    private const ushort DescriptorSignature = 0x4552;
    private const ushort EntrySignature = 0x504D;
    private const int CountOffset = 4;
    private const int StartOffset = 8;
    private const int LengthOffset = 12;
    private const int NameOffset = 16;
    private const int TypeOffset = 48;
    private const int TextLength = 32;
    private const int EntryLength = 80;

    private static readonly int[] BlockSizes = [512, 1024, 2048, 4096];

    public static DiskLayout Read(IBlockSource disk)
    {
        byte[] descriptor = new byte[4];
        DiskLayout none = new(PartitionTableKind.None, disk.SectorSize, []);
        if (disk.ReadAt(0, descriptor) < descriptor.Length
            || BinaryPrimitives.ReadUInt16BigEndian(descriptor) != DescriptorSignature
            || BinaryPrimitives.ReadUInt16BigEndian(descriptor.AsSpan(2)) is var blockSize && !BlockSizes.Contains(blockSize))
        {
            return none;
        }

        List<Partition> partitions = [];
        byte[] entry = new byte[EntryLength];
        for (long number = 1, count = 1; number <= Math.Min(count, DiskLayout.MaxPartitions); number++)
        {
            if (disk.ReadAt(number * blockSize, entry) < EntryLength || BinaryPrimitives.ReadUInt16BigEndian(entry) != EntrySignature)
            {
                break;
            }

            // Each entry says how many there are: the first one counts.
            count = number == 1 ? Field(entry, CountOffset) : count;
            long start = Field(entry, StartOffset);
            string name = Text(entry, NameOffset);
            partitions.Add(Partition.Of(
                (int)number, Text(entry, TypeOffset) + (name.Length == 0 ? "" : $" \"{name}\""), start, start + Field(entry, LengthOffset) - 1, blockSize));
        }

        return partitions.Count > 0 ? new DiskLayout(PartitionTableKind.Apple, blockSize, partitions) : none;
    }

    private static uint Field(ReadOnlySpan<byte> entry, int offset) => BinaryPrimitives.ReadUInt32BigEndian(entry[offset..]);

    private static string Text(ReadOnlySpan<byte> entry, int offset)
    {
        ReadOnlySpan<byte> text = entry.Slice(offset, TextLength);
        int end = text.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? text : text[..end]);
    }
}
