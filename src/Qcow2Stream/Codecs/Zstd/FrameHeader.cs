using System.Buffers.Binary;

namespace Qcow2Stream.Codecs.Zstd;

/// <summary>The header of a Zstandard frame (RFC 8878, section 3.1.1.1).</summary>
/// <param name="WindowSize">How far back matches reach, in bytes.</param>
/// <param name="ContentSize">How many bytes the frame yields; <see cref="UnknownSize"/> if it does not say.</param>
/// <param name="HasChecksum">Whether a checksum follows the last block.</param>
/// <param name="Length">How many bytes the header takes.</param>
internal readonly record struct FrameHeader(ulong WindowSize, ulong ContentSize, bool HasChecksum, int Length)
{
    public const uint Magic = 0xFD2FB528;

    /// <summary>libzstd's, too: a frame that gives this as its size may yield anything.</summary>
    public const ulong UnknownSize = ulong.MaxValue;

    // The largest window that libzstd knows.
    private const int MaxWindowLog = 31;

    private const int SingleSegmentFlag = 1 << 5;
    private const int ReservedBit = 1 << 3;
    private const int ChecksumFlag = 1 << 2;

    /// <summary>Reads what follows the magic number.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        header = default;
        if (source.IsEmpty || (source[0] & ReservedBit) != 0)
        {
            return false;
        }

        int descriptor = source[0];
        bool isSingleSegment = (descriptor & SingleSegmentFlag) != 0;
        int dictionaryIdLength = (1 << (descriptor & 3)) >> 1;
        int contentSizeFlag = descriptor >> 6;
        int contentSizeLength = contentSizeFlag == 0 && !isSingleSegment ? 0 : 1 << contentSizeFlag;
        int length = 1 + (isSingleSegment ? 0 : 1) + dictionaryIdLength + contentSizeLength;
        if (source.Length < length)
        {
            return false;
        }

        int position = 1;
        ulong windowSize = 0;
        if (!isSingleSegment)
        {
            int exponent = source[position] >> 3;
            int mantissa = source[position] & 7;
            position++;
            if (10 + exponent > MaxWindowLog)
            {
                return false;
            }

            ulong windowBase = 1UL << (10 + exponent);
            windowSize = windowBase + (windowBase / 8 * (uint)mantissa);
        }

        // There is no dictionary.
        if (source.Slice(position, dictionaryIdLength).ContainsAnyExcept((byte)0))
        {
            return false;
        }

        ReadOnlySpan<byte> field = source.Slice(position + dictionaryIdLength, contentSizeLength);
        ulong contentSize = contentSizeLength switch
        {
            1 => field[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(field) + 256UL,
            4 => BinaryPrimitives.ReadUInt32LittleEndian(field),
            8 => BinaryPrimitives.ReadUInt64LittleEndian(field),
            _ => UnknownSize,
        };
        header = new FrameHeader(isSingleSegment ? contentSize : windowSize, contentSize, (descriptor & ChecksumFlag) != 0, length);
        return true;
    }
}
