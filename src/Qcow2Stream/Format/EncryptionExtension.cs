using System.Buffers.Binary;

namespace Qcow2Stream.Format;

/// <summary>The header extension that says where the LUKS header is (section "Full disk encryption header pointer").</summary>
internal readonly record struct EncryptionExtension(long Offset, long Length)
{
    private const int DataLength = 16;

    /// <summary>Finds and checks the extension of an image encrypted by method 2.</summary>
    /// <exception cref="Qcow2FormatException">There is none, or it points outside the file.</exception>
    public static EncryptionExtension Parse(Qcow2Header header, Geometry geometry, long fileLength, string? path)
    {
        foreach (Qcow2HeaderExtension extension in header.Extensions.Where(e => e.Type == HeaderExtensions.FullDiskEncryption))
        {
            ReadOnlySpan<byte> data = extension.Data.Span;
            if (data.Length != DataLength)
            {
                throw new Qcow2FormatException(
                    $"the full disk encryption extension is {data.Length} bytes long; it must be {DataLength}", path, hostOffset: extension.Offset);
            }

            ulong offset = BinaryPrimitives.ReadUInt64BigEndian(data);
            ulong length = BinaryPrimitives.ReadUInt64BigEndian(data[sizeof(ulong)..]);
            return offset <= (ulong)fileLength && length <= (ulong)fileLength - offset && geometry.IsClusterAligned((long)offset)
                ? new EncryptionExtension((long)offset, (long)length)
                : throw new Qcow2FormatException(
                    $"the LUKS header (offset 0x{offset:x}, {length} bytes) must be cluster-aligned and lie inside the file of {fileLength} bytes",
                    path,
                    hostOffset: extension.Offset);
        }

        throw new Qcow2FormatException(
            "the encryption method is LUKS, but there is no full disk encryption extension", path, hostOffset: HeaderLayout.CryptMethod);
    }
}
