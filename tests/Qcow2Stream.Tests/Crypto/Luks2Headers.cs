using System.Security.Cryptography;
using System.Text;
using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>Changes the headers of LUKS2 volumes and makes their checksums right again.</summary>
internal static class Luks2Headers
{
    public const int Size = Luks2Layout.MinHeaderSize;

    public static string Json(byte[] file, int offset = 0)
    {
        ReadOnlySpan<byte> area = file.AsSpan(offset + Luks2Layout.Length, Size - Luks2Layout.Length);
        return Encoding.UTF8.GetString(area[..area.IndexOf((byte)0)]);
    }

    /// <summary>A copy with other JSON in both headers.</summary>
    public static byte[] WithJson(byte[] file, Func<string, string> change) => WithJsonBytes(file, Encoding.UTF8.GetBytes(change(Json(file))));

    public static byte[] WithJsonBytes(byte[] file, byte[] json)
    {
        byte[] copy = [.. file];
        foreach (int offset in new[] { 0, Size })
        {
            Span<byte> area = copy.AsSpan(offset + Luks2Layout.Length, Size - Luks2Layout.Length);
            area.Clear();
            json.CopyTo(area);
            Seal(copy, offset);
        }

        return copy;
    }

    /// <summary>Writes the checksum of the header at <paramref name="offset"/>.</summary>
    public static byte[] Seal(byte[] file, int offset)
    {
        Span<byte> checksum = file.AsSpan(offset + Luks2Layout.Checksum, Luks2Layout.ChecksumLength);
        checksum.Clear();
        SHA256.HashData(file.AsSpan(offset, Size)).CopyTo(checksum);
        return file;
    }

    public static byte[] WithSequenceId(byte[] file, int offset, ulong id) =>
        Seal(file.WriteU64(offset + Luks2Layout.SequenceId, id), offset);
}
