using System.Buffers.Binary;
using Qcow2Stream.Tests.Layers;
using Qcow2Stream.Tests.Malformed;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>
/// A sparse file as bytes: the format's number, the file's length in sectors, and its parts, each with its sector and its length. The
/// formats' checksums are put right, so that what a field says is believed.
/// </summary>
internal static class ForeignInput
{
    private const int Sector = 512;
    private const int HeaderLength = 5;
    private const int PartHeaderLength = 6;
    private const int VhdxHeaderLength = 4096;
    private const int VhdxTableLength = 64 << 10;

    /// <summary>The formats, by QEMU's names.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["vmdk", "vpc", "vhdx"];

    /// <summary>Makes the file; null if there is not even a length.</summary>
    public static SparseFile? Parse(ReadOnlySpan<byte> input, out string format)
    {
        format = Formats[input.Length == 0 ? 0 : input[0] % Formats.Count];
        if (input.Length < HeaderLength)
        {
            return null;
        }

        SparseFile file = new((long)BinaryPrimitives.ReadUInt32LittleEndian(input[1..]) * Sector, knowsHoles: true);
        HashSet<uint> known = [];
        for (ReadOnlySpan<byte> rest = input[HeaderLength..]; rest.Length > PartHeaderLength;)
        {
            uint sector = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            int length = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]), rest.Length - PartHeaderLength);
            if (known.Add(sector))
            {
                file.With((long)sector * Sector, WithSum(rest.Slice(PartHeaderLength, length).ToArray()));
            }

            rest = rest[(PartHeaderLength + length)..];
        }

        return file;
    }

    /// <summary>The bytes for a file of which only the parts are stored, each of less than 64 KiB.</summary>
    public static byte[] Make(string format, long length, IEnumerable<(long Offset, byte[] Bytes)> parts)
    {
        MemoryStream input = new();
        input.WriteByte((byte)Formats.ToList().IndexOf(format));
        input.Write(new byte[4].Little(0, (uint)(length / Sector)));
        foreach ((long offset, byte[] bytes) in parts)
        {
            byte[] header = new byte[PartHeaderLength].Little(0, (uint)(offset / Sector));
            BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), (ushort)bytes.Length);
            input.Write(header);
            input.Write(bytes);
        }

        return input.ToArray();
    }

    private static byte[] WithSum(byte[] part)
    {
        if (part.AsSpan().StartsWith("cxsparse"u8))
        {
            return Padded(part, 1024).WithVhdSum(0, 1024, at: 36);
        }

        if (part.AsSpan().StartsWith("conectix"u8))
        {
            return Padded(part, Sector).WithVhdSum(0, Sector, at: 64);
        }

        return part.AsSpan().StartsWith("head"u8) ? Padded(part, VhdxHeaderLength).WithVhdxSum(0, VhdxHeaderLength)
            : part.AsSpan().StartsWith("regi"u8) ? Padded(part, VhdxTableLength).WithVhdxSum(0, VhdxTableLength)
            : part;
    }

    private static byte[] Padded(byte[] part, int length)
    {
        Array.Resize(ref part, Math.Max(part.Length, length));
        return part;
    }
}
