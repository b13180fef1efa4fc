using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A piece of a file's content: in the tree itself, at an address, or nothing but zeros ("File extents").</summary>
internal sealed class BtrfsExtent
{
    // Linux compresses 128 KiB at once.
    private const ulong MaxDecoded = 1 << 20;

    private readonly BtrfsCompression _compression;
    private readonly ReadOnlyMemory<byte> _inline;
    private readonly int _decodedLength;

    /// <exception cref="GuestException">The item is damaged, or of a form that isn't known.</exception>
    public BtrfsExtent(BtrfsItem item, int sectorSize)
    {
        ReadOnlySpan<byte> bytes = item.AtLeast(BtrfsLayout.Extent.Inline);
        Start = (long)item.Key.Offset;
        _compression = (BtrfsCompression)bytes[BtrfsLayout.Extent.Compression];
        ulong decodedLength = Quad(bytes, BtrfsLayout.Extent.DecodedLength);
        Kind kind = (Kind)bytes[BtrfsLayout.Extent.Type];
        if (_compression > BtrfsCompression.Zstd || kind > Kind.NeverWritten
            || bytes[BtrfsLayout.Extent.Encryption] != 0 || BinaryPrimitives.ReadUInt16LittleEndian(bytes[BtrfsLayout.Extent.OtherEncoding..]) != 0)
        {
            throw new GuestException($"its content is kept in a way that is not known, at byte {Start}");
        }

        bool isInline = kind == Kind.Inline;
        ulong length = isInline ? decodedLength : Quad(item.AtLeast(BtrfsLayout.Extent.Length), BtrfsLayout.Extent.Count);
        Length = (long)length;
        if (isInline)
        {
            _inline = item.Data[BtrfsLayout.Extent.Inline..];
        }
        else
        {
            Address = Quad(bytes, BtrfsLayout.Extent.Address);
            StoredLength = Quad(bytes, BtrfsLayout.Extent.StoredLength);
            Skipped = Quad(bytes, BtrfsLayout.Extent.Skipped);
        }

        IsHole = kind == Kind.NeverWritten || (!isInline && Address == 0);
        bool isDecoded = isInline || IsCompressed;
        ulong whole = isInline && !IsCompressed ? (ulong)_inline.Length : isDecoded ? decodedLength : StoredLength;
        if (Start < 0 || Length <= 0 || Start > long.MaxValue - Length || Address > long.MaxValue || StoredLength > long.MaxValue - Address
            || (!IsHole && (length > whole || Skipped > whole - length
                || (isDecoded ? decodedLength > MaxDecoded || StoredLength > MaxDecoded : (Address | StoredLength | Skipped) % (ulong)sectorSize != 0))))
        {
            throw new GuestException($"its extent at byte {Start} is damaged");
        }

        _decodedLength = (int)Math.Min(decodedLength, MaxDecoded);
    }

    private enum Kind
    {
        Inline,
        Regular,
        NeverWritten,
    }

    /// <summary>Where in the file it starts, in bytes.</summary>
    public long Start { get; }

    /// <summary>How much of the file it is, in bytes.</summary>
    public long Length { get; }

    public long End => Start + Length;

    /// <summary>Where its bytes are in the address space, unless they are in the tree.</summary>
    public ulong Address { get; }

    /// <summary>How many bytes it takes there.</summary>
    public ulong StoredLength { get; }

    /// <summary>How many of the bytes, decoded, come before those of the file.</summary>
    public ulong Skipped { get; }

    /// <summary>Whether it is zeros: a hole, or what was never written.</summary>
    public bool IsHole { get; }

    /// <summary>Whether the bytes must be decoded, or are in the tree.</summary>
    public bool IsDecoded => !IsHole && (IsCompressed || !_inline.IsEmpty);

    private bool IsCompressed => _compression != BtrfsCompression.None;

    /// <summary>Its bytes in the file, if it is <see cref="IsDecoded"/>.</summary>
    public byte[] Decode(BtrfsData data, bool isChecked, int sectorSize)
    {
        ReadOnlyMemory<byte> stored = _inline;
        if (stored.IsEmpty)
        {
            byte[] read = new byte[StoredLength];
            data.Read(Address, read, isChecked);
            stored = read;
        }

        byte[] decoded = new byte[_decodedLength];
        BtrfsDecoder.Decode(_compression, stored, decoded, sectorSize);
        return decoded.AsSpan((int)Skipped, (int)Length).ToArray();
    }

    private static ulong Quad(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);
}
