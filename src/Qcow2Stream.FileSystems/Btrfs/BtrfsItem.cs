using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>An item of a tree.</summary>
/// <param name="Key">What it is of.</param>
/// <param name="Data">What it says.</param>
internal readonly record struct BtrfsItem(BtrfsKey Key, ReadOnlyMemory<byte> Data)
{
    /// <summary>What it says, if that is long enough for its kind.</summary>
    /// <exception cref="GuestException">It is too short.</exception>
    public ReadOnlySpan<byte> AtLeast(int length) => Data.Length >= length
        ? Data.Span
        : throw new GuestException($"its tree is damaged: the item of type {Key.Type} of object {Key.Object} is too short");

    /// <summary>What it says, if that has the length of its kind.</summary>
    /// <exception cref="GuestException">It has another.</exception>
    public ReadOnlySpan<byte> Exactly(int length) => Data.Length <= length
        ? AtLeast(length)
        : throw new GuestException($"its tree is damaged: the item of type {Key.Type} of object {Key.Object} is too long");

    /// <summary>A text in it that says its length.</summary>
    /// <param name="lengthPlace">Where its length is.</param>
    /// <param name="place">Where it is.</param>
    public ReadOnlySpan<byte> Text(int lengthPlace, int place)
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(AtLeast(place)[lengthPlace..]);
        return AtLeast(place + length).Slice(place, length);
    }
}
