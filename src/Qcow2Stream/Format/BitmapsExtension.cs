using System.Buffers.Binary;

namespace Qcow2Stream.Format;

/// <summary>The header extension that says where the bitmap directory is (section "Bitmaps extension").</summary>
internal readonly record struct BitmapsExtension(uint Count, ulong DirectorySize, ulong DirectoryOffset)
{
    private const int Length = 24;

    /// <summary>
    /// Parses the extension of an image; null if it has none, or if its autoclear bit is gone: then something that
    /// does not know bitmaps wrote to the image, and what is left of them means nothing.
    /// </summary>
    /// <exception cref="Qcow2FormatException">The extension is not 24 bytes long.</exception>
    public static BitmapsExtension? Parse(Qcow2Header header, string? path)
    {
        if (!header.HasConsistentBitmaps)
        {
            return null;
        }

        foreach (Qcow2HeaderExtension extension in header.Extensions.Where(e => e.Type == HeaderExtensions.Bitmaps))
        {
            ReadOnlySpan<byte> data = extension.Data.Span;
            return data.Length == Length
                ? new BitmapsExtension(
                    BinaryPrimitives.ReadUInt32BigEndian(data),
                    BinaryPrimitives.ReadUInt64BigEndian(data[8..]),
                    BinaryPrimitives.ReadUInt64BigEndian(data[16..]))
                : throw new Qcow2FormatException(
                    $"the bitmaps extension is {data.Length} bytes long; it must be {Length}", path, hostOffset: extension.Offset);
        }

        return null;
    }
}
