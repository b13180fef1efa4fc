using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>A kind of block of version 5, by its magic: where in it stands when it was written last, whose it is, and its checksum.</summary>
/// <param name="Lsn">The number of the record with its last change.</param>
/// <param name="Uuid">The file system's.</param>
/// <param name="Checksum">The checksum.</param>
internal sealed record XfsLogKind(int Lsn, int Uuid, int Checksum)
{
    private const int ShortMagic = 8;

    private static readonly XfsLogKind GroupTree = new(24, 32, 52);
    private static readonly XfsLogKind FileTree = new(32, 40, XfsLayout.Tree.Checksum);
    private static readonly XfsLogKind Directory = new(16, 24, XfsLayout.Directory.Checksum);
    private static readonly XfsLogKind Index = new(24, 32, 12);
    private static readonly XfsLogKind Link = new(48, 16, XfsLayout.Link.Checksum);
    private static readonly XfsLogKind FreeSpace = new(208, 64, 216);
    private static readonly XfsLogKind FreeList = new(24, 8, 32);
    private static readonly XfsLogKind Inodes = new(320, 296, 312);

    /// <summary>The UUID of metadata, if it has its own, is not here; there is but one superblock that is logged.</summary>
    private static readonly XfsLogKind Superblock = new(XfsLayout.Superblock.Lsn, XfsLayout.Superblock.Uuid, XfsLayout.Superblock.Checksum);

    /// <summary>The kind of a block; null if it is none of those that have all three.</summary>
    public static XfsLogKind? Of(ReadOnlySpan<byte> block) => block[..4] switch
    {
        var magic when magic.SequenceEqual("AB3B"u8) || magic.SequenceEqual("AB3C"u8) || magic.SequenceEqual("IAB3"u8) || magic.SequenceEqual("FIB3"u8)
            || magic.SequenceEqual("RMB3"u8) || magic.SequenceEqual("R3FC"u8) => GroupTree,
        var magic when magic.SequenceEqual("BMA3"u8) => FileTree,
        var magic when magic.SequenceEqual("XDB3"u8) || magic.SequenceEqual("XDD3"u8) || magic.SequenceEqual("XDF3"u8) => Directory,
        var magic when magic.SequenceEqual("XSLM"u8) => Link,
        var magic when magic.SequenceEqual("XAGF"u8) => FreeSpace,
        var magic when magic.SequenceEqual("XAFL"u8) => FreeList,
        var magic when magic.SequenceEqual("XAGI"u8) => Inodes,
        var magic when magic.SequenceEqual("XFSB"u8) => Superblock,
        _ => BinaryPrimitives.ReadUInt16BigEndian(block[ShortMagic..]) is 0x3DF1 or 0x3DFF or 0x3EBE or 0x3BEE ? Index : null,
    };
}
