using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A piece of a file's content: in the tree itself, at an address, or nothing but zeros ("File extents").</summary>
internal sealed class BtrfsExtent
{
    // Linux compresses as much at once.
    private const ulong MaxDecoded = 128 << 10;

    private readonly BtrfsCompression _compression;
    private readonly bool _isInline;
    private readonly ReadOnlyMemory<byte> _inline;
    private readonly ulong _decodedLength;

    /// <exception cref="GuestException">The item is damaged, or of a form that isn't known.</exception>
    public BtrfsExtent(BtrfsItem item, int sectorSize)
    {
        ReadOnlySpan<byte> bytes = item.AtLeast(BtrfsLayout.Extent.Inline);
        Start = (long)item.Key.Offset;
        _compression = (BtrfsCompression)bytes[BtrfsLayout.Extent.Compression];
        _decodedLength = Quad(bytes, BtrfsLayout.Extent.DecodedLength);
        Kind kind = (Kind)bytes[BtrfsLayout.Extent.Type];
        if (_compression > BtrfsCompression.Zstd || kind > Kind.NeverWritten
            || bytes[BtrfsLayout.Extent.Encryption] != 0 || BinaryPrimitives.ReadUInt16LittleEndian(bytes[BtrfsLayout.Extent.OtherEncoding..]) != 0)
        {
            throw new GuestException($"its content is kept in a way that is not known, at byte {Start}");
        }

        _isInline = kind == Kind.Inline;
        ulong length = _isInline ? _decodedLength : Quad(item.Exactly(BtrfsLayout.Extent.Length), BtrfsLayout.Extent.Count);
        Length = (long)length;
        if (_isInline)
        {
            _inline = item.Data[BtrfsLayout.Extent.Inline..];
        }
        else
        {
            Address = Quad(bytes, BtrfsLayout.Extent.Address);
            StoredLength = Quad(bytes, BtrfsLayout.Extent.StoredLength);
            Skipped = Quad(bytes, BtrfsLayout.Extent.Skipped);
        }

        IsHole = kind == Kind.NeverWritten || (!_isInline && Address == 0);
        if (Length <= 0 || !(_isInline ? IsInlineRight() : IsPlaceRight(length, (ulong)sectorSize)))
        {
            throw new GuestException($"its extent at byte {Start} is damaged");
        }

        // What is in the tree has a sector of the file for itself.
        End = _isInline ? (Length + sectorSize - 1) & -sectorSize : Start + Length;
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

    /// <summary>Where in the file another may start.</summary>
    public long End { get; }

    /// <summary>Where its bytes are in the address space, unless they are in the tree.</summary>
    public ulong Address { get; }

    /// <summary>How many bytes it takes there.</summary>
    public ulong StoredLength { get; }

    /// <summary>How many of the bytes, decoded, come before those of the file.</summary>
    public ulong Skipped { get; }

    /// <summary>Whether it is zeros: a hole, or what was never written.</summary>
    public bool IsHole { get; }

    /// <summary>Whether the bytes must be decoded, or are in the tree.</summary>
    public bool IsDecoded => !IsHole && (IsCompressed || _isInline);

    private bool IsCompressed => _compression != BtrfsCompression.None;

    /// <summary>Whether another is a part of the same compressed bytes.</summary>
    public bool HasBytesOf(BtrfsExtent other) => _isInline
        ? other._isInline
        : !other._isInline && (Address, StoredLength, _decodedLength, _compression) == (other.Address, other.StoredLength, other._decodedLength, other._compression);

    /// <summary>All bytes that it has a part of, if it is <see cref="IsDecoded"/>.</summary>
    public byte[] Decode(BtrfsData data, bool isChecked, int sectorSize)
    {
        ReadOnlyMemory<byte> stored = _inline;
        if (!_isInline)
        {
            byte[] read = new byte[StoredLength];
            data.Read(Address, read, isChecked);
            stored = read;
        }

        byte[] decoded = new byte[_decodedLength];

        // Linux compresses up to the end of the file, and counts its last sector as a whole one; in the tree it counts bytes.
        BtrfsDecoder.Decode(_compression, stored, decoded, sectorSize, _isInline ? decoded.Length : decoded.Length - sectorSize + 1);
        return decoded;
    }

    private bool IsInlineRight() => Start == 0 && (IsCompressed ? _decodedLength <= MaxDecoded : _decodedLength == (ulong)_inline.Length);

    private bool IsPlaceRight(ulong length, ulong sectorSize)
    {
        ulong whole = IsCompressed ? _decodedLength : StoredLength;
        bool isAligned = ((ulong)Start | length | Address | StoredLength | Skipped | _decodedLength) % sectorSize == 0;
        return Start >= 0 && Start <= long.MaxValue - Length && Address <= long.MaxValue && StoredLength <= long.MaxValue - Address && isAligned
            && (IsHole || (length <= whole && Skipped <= whole - length && (!IsCompressed || (_decodedLength <= MaxDecoded && StoredLength <= MaxDecoded))));
    }

    private static ulong Quad(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);
}
