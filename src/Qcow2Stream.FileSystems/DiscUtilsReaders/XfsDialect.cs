using System.Buffers.Binary;
using System.Text;
using DiscUtils.Vfs;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>
/// XFS: its reader replaces characters of names that some system does not allow, and takes times of today's form for
/// the older ones.
/// </summary>
internal sealed class XfsDialect : VfsDialect
{
    private const int ModifiedOffset = 40;
    private const int Flags2Offset = 120;
    private const int HeaderLength = 128;
    private const ulong BigTime = 8;

    // Large times count from the earliest that a signed 32-bit number could express, December 1901.
    private static readonly DateTime BigTimeStart = DateTime.UnixEpoch.AddSeconds(int.MinValue);

    private readonly IBlockSource _volume;

    public XfsDialect(IBlockSource volume)
    {
        _volume = volume;
        TellsHoles = true;
    }

    public override string NameOf(VfsDirEntry entry) =>
        VfsInternals.RawNameOf(entry) is { } name ? Encoding.UTF8.GetString(name) : entry.FileName;

    public override DateTime ModifiedUtcOf(VfsInternals tree, VfsDirEntry entry)
    {
        byte[] inode = new byte[HeaderLength];
        _volume.ReadExactly(tree.XfsInodeOffsetOf(entry), inode);

        // Before version 3, an inode has no second flags.
        bool isBig = inode[4] >= 3 && (BinaryPrimitives.ReadUInt64BigEndian(inode.AsSpan(Flags2Offset)) & BigTime) != 0;
        return isBig
            ? BigTimeStart.AddTicks((long)(BinaryPrimitives.ReadUInt64BigEndian(inode.AsSpan(ModifiedOffset)) / TimeSpan.NanosecondsPerTick))
            : DateTime.UnixEpoch
                .AddSeconds(BinaryPrimitives.ReadInt32BigEndian(inode.AsSpan(ModifiedOffset)))
                .AddTicks(BinaryPrimitives.ReadUInt32BigEndian(inode.AsSpan(ModifiedOffset + 4)) / TimeSpan.NanosecondsPerTick);
    }
}
