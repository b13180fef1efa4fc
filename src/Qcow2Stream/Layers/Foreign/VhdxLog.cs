using System.Buffers.Binary;
using System.Numerics;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>
/// The log of a VHDX that was not closed: DiscUtils replays it into memory as it opens the image. What it would write is added up
/// before ("[MS-VHDX]", section "Log").
/// </summary>
internal static class VhdxLog
{
    private const int HeaderLength = 4096;
    private const int ChecksumOffset = 4;
    private const int SectorLength = 4096;
    private const int EntryHeaderLength = 64;
    private const int DescriptorLength = 32;

    // Entries follow each other; what is left of earlier ones may overlap with them.
    private const int MostTimesFull = 4;

    // A sector of data takes its memory, and has at most 512 entries of the block allocation table in it.
    private const int BytesPerLogByte = 24;

    /// <summary>Judges the log of the header that is valid, if it isn't empty.</summary>
    /// <param name="file">The image.</param>
    /// <param name="memory">Adds up what replaying will take.</param>
    /// <param name="metadataOffset">The metadata region, judged as it is in the file.</param>
    /// <param name="metadataLength">Its length in bytes.</param>
    public static void Judge(HostFile file, TableMemory memory, long metadataOffset, long metadataLength)
    {
        if (ActiveHeader(file) is not { } active || active.AsSpan(48, 16).IndexOfAnyExcept((byte)0) < 0)
        {
            return;
        }

        long length = BinaryPrimitives.ReadUInt32LittleEndian(active.AsSpan(68));
        long offset = BinaryPrimitives.ReadInt64LittleEndian(active.AsSpan(72));
        memory.ChargeTable(offset, length, length * BytesPerLogByte, "the log", file, offset);
        Ring ring = new(file, offset, length);
        byte[] header = new byte[EntryHeaderLength];
        long entryBytes = 0;
        for (long place = 0; place + SectorLength <= length; place += SectorLength)
        {
            ring.Read(place, header);
            if (!header.AsSpan().StartsWith("loge"u8) || !header.AsSpan(32, 16).SequenceEqual(active.AsSpan(48, 16)))
            {
                continue;
            }

            long entryLength = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8));
            long descriptors = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(24));
            entryBytes += entryLength;
            if (entryLength > length || descriptors > (entryLength - EntryHeaderLength) / DescriptorLength || entryBytes > length * MostTimesFull)
            {
                throw new Qcow2FormatException(
                    $"an entry of the log, of {entryLength} bytes with {descriptors} descriptors, is larger than the log, or overlaps with others",
                    file.Path,
                    hostOffset: offset + place);
            }

            JudgeDescriptors(file, memory, ring, place, descriptors, metadataOffset, metadataLength);
        }
    }

    private static void JudgeDescriptors(
        HostFile file, TableMemory memory, Ring ring, long entry, long descriptors, long metadataOffset, long metadataLength)
    {
        byte[] descriptor = new byte[DescriptorLength];
        for (long i = 0; i < descriptors; i++)
        {
            long place = entry + EntryHeaderLength + (i * DescriptorLength);
            ring.Read(place, descriptor);
            ulong target = BinaryPrimitives.ReadUInt64LittleEndian(descriptor.AsSpan(16));
            ulong written = SectorLength;
            if (descriptor.AsSpan().StartsWith("zero"u8))
            {
                written = BinaryPrimitives.ReadUInt64LittleEndian(descriptor.AsSpan(8));
                memory.Charge((long)Math.Min(written, long.MaxValue / 4) * 2, "what the log writes", file, ring.HostOffset(place));
            }

            if (target < (ulong)(metadataOffset + metadataLength) && (target >= (ulong)metadataOffset || written > (ulong)metadataOffset - target))
            {
                throw new Qcow2UnsupportedException(
                    "metadata in the log of format vhdx",
                    "the image was not closed, and its log changes its metadata, which is not handled",
                    file.Path,
                    ring.HostOffset(place));
            }
        }
    }

    /// <summary>The header that DiscUtils takes: the later of those whose checksum is right.</summary>
    private static byte[]? ActiveHeader(HostFile file)
    {
        byte[]? active = null;
        foreach (long place in (ReadOnlySpan<long>)[64 << 10, 128 << 10])
        {
            byte[] header = new byte[HeaderLength];
            if (file.ReadAt(place, header) == header.Length && IsValid(header)
                && (active is null || SequenceOf(active) < SequenceOf(header)))
            {
                active = header;
            }
        }

        return active;
    }

    private static ulong SequenceOf(byte[] header) => BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(8));

    private static bool IsValid(byte[] header)
    {
        uint recorded = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(ChecksumOffset));
        uint sum = uint.MaxValue;
        for (int i = 0; i < header.Length; i += sizeof(uint))
        {
            sum = BitOperations.Crc32C(sum, i == ChecksumOffset ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(i)));
        }

        return header.AsSpan().StartsWith("head"u8) && recorded == ~sum;
    }

    /// <summary>The log's bytes: after the last comes the first again.</summary>
    private readonly record struct Ring(HostFile File, long Offset, long Length)
    {
        public long HostOffset(long place) => Offset + (place % Length);

        /// <summary>Reads what lies within a sector.</summary>
        public void Read(long place, Span<byte> buffer)
        {
            int read = File.ReadAt(HostOffset(place), buffer);
            buffer[read..].Clear();
        }
    }
}
