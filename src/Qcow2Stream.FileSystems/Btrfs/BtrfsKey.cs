using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The key of an item in a tree, by which it is sorted: an object, a type, and a number whose meaning the type says.</summary>
internal readonly record struct BtrfsKey(ulong Object, byte Type, ulong Offset) : IComparable<BtrfsKey>
{
    public static BtrfsKey Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Key.Object..]),
        bytes[BtrfsLayout.Key.Type],
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Key.Offset..]));

    public static bool operator <(BtrfsKey left, BtrfsKey right) => left.CompareTo(right) < 0;

    public static bool operator >(BtrfsKey left, BtrfsKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(BtrfsKey left, BtrfsKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(BtrfsKey left, BtrfsKey right) => left.CompareTo(right) >= 0;

    public int CompareTo(BtrfsKey other) =>
        Object != other.Object ? Object.CompareTo(other.Object)
        : Type != other.Type ? Type.CompareTo(other.Type)
        : Offset.CompareTo(other.Offset);
}
