using System.Buffers.Binary;
using DiscUtils.Vfs;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>
/// What an ISO 9660 disc says of a file for Unix, in the system use area of its directory record (IEEE P1282, 4.1):
/// DiscUtils does not give the targets of links, mixes up the modes of empty files, and reads names as Latin-1 only.
/// </summary>
internal sealed class RockRidge : VfsDialect
{
    private const int HeaderLength = 4;
    private const byte Continues = 1;
    private const byte Current = 2;
    private const byte Parent = 4;
    private const byte Root = 8;

    // Each number stands twice, first little-endian, then big-endian.
    private const int ModeOffset = 4;
    private const int LinksOffset = 12;
    private const int UserOffset = 20;
    private const int GroupOffset = 28;
    private const int ModeFieldLength = 36;

    // A CE field: where on the disc the area continues.
    private const int BlockSize = 2048;
    private const int BlockOffset = 4;
    private const int ByteOffset = 12;
    private const int LengthOffset = 20;
    private const int ContinuationFieldLength = 28;
    private const int MaxContinuations = 32;

    private readonly IBlockSource _disc;

    public RockRidge(IBlockSource disc)
    {
        _disc = disc;
        HasByteNames = true;
    }

    /// <summary>The NM fields.</summary>
    public override string NameOf(VfsDirEntry entry)
    {
        ReadOnlySpan<byte> systemUse = AreaOf(entry);
        List<byte> name = [];
        while (NextField(ref systemUse, "NM"u8, out ReadOnlySpan<byte> field))
        {
            name.AddRange(field[Math.Min(HeaderLength + 1, field.Length)..]);
        }

        return name.Count > 0 ? GuestText.FromBytes([.. name]) : entry.FileName;
    }

    /// <summary>The PX field; null if there is none.</summary>
    public override GuestUnixMode? ModeOf(VfsInternals tree, VfsDirEntry entry)
    {
        ReadOnlySpan<byte> systemUse = AreaOf(entry);
        while (NextField(ref systemUse, "PX"u8, out ReadOnlySpan<byte> field))
        {
            if (field.Length >= ModeFieldLength)
            {
                return new GuestUnixMode(
                    (UnixFileMode)(BinaryPrimitives.ReadInt32LittleEndian(field[ModeOffset..]) & 0xFFF),
                    BinaryPrimitives.ReadUInt32LittleEndian(field[UserOffset..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(field[GroupOffset..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(field[LinksOffset..]));
            }
        }

        return null;
    }

    /// <summary>The SL fields; null if they hold no whole target.</summary>
    public override string? TargetOf(VfsInternals tree, VfsDirEntry entry)
    {
        ReadOnlySpan<byte> systemUse = AreaOf(entry);
        List<byte> target = [];
        bool found = false;
        bool more = false;
        bool joins = true;
        while (NextField(ref systemUse, "SL"u8, out ReadOnlySpan<byte> field))
        {
            if (field.Length == HeaderLength)
            {
                return null;
            }

            found = true;
            more = (field[HeaderLength] & Continues) != 0;
            if (!Append(field[(HeaderLength + 1)..], target, ref joins))
            {
                return null;
            }
        }

        return found && !more ? GuestText.FromBytes([.. target]) : null;
    }

    /// <summary>An entry's area with all that follows it elsewhere on the disc.</summary>
    private byte[] AreaOf(VfsDirEntry entry)
    {
        byte[] whole = VfsInternals.SystemUseDataOf(entry) ?? [];
        byte[] last = whole;
        for (int i = 0; i < MaxContinuations && ContinuationOf(last) is { } more; i++)
        {
            whole = [.. whole, .. more];
            last = more;
        }

        return whole;
    }

    private byte[]? ContinuationOf(ReadOnlySpan<byte> area)
    {
        if (!NextField(ref area, "CE"u8, out ReadOnlySpan<byte> field) || field.Length < ContinuationFieldLength)
        {
            return null;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(field[LengthOffset..]);
        byte[] more = new byte[Math.Min(length, BlockSize)];
        long start = (BinaryPrimitives.ReadUInt32LittleEndian(field[BlockOffset..]) * (long)BlockSize)
            + BinaryPrimitives.ReadUInt32LittleEndian(field[ByteOffset..]);
        _disc.ReadExactly(start, more);
        return more;
    }

    private static bool NextField(ref ReadOnlySpan<byte> systemUse, ReadOnlySpan<byte> signature, out ReadOnlySpan<byte> field)
    {
        while (systemUse.Length >= HeaderLength && systemUse[2] >= HeaderLength && systemUse[2] <= systemUse.Length)
        {
            field = systemUse[..systemUse[2]];
            systemUse = systemUse[field.Length..];
            if (field.StartsWith(signature))
            {
                return true;
            }
        }

        field = default;
        return false;
    }

    private static bool Append(ReadOnlySpan<byte> components, List<byte> target, ref bool joins)
    {
        while (components.Length >= 2)
        {
            byte flags = components[0];
            int length = components[1];
            if (length > components.Length - 2)
            {
                return false;
            }

            if (!joins)
            {
                target.Add((byte)'/');
            }

            target.AddRange((flags & ~Continues) switch
            {
                Current => "."u8,
                Parent => ".."u8,
                Root => "/"u8,
                _ => components.Slice(2, length),
            });

            // After a part that continues, and after the root's own slash, there is no other slash.
            joins = (flags & (Continues | Root)) != 0;
            components = components[(2 + length)..];
        }

        return true;
    }
}
