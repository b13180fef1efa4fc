using DiscUtils.Vfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>HFS+: its reader takes a hard link for an empty file.</summary>
internal sealed class HfsPlusDialect : VfsDialect
{
    public static readonly HfsPlusDialect Instance = new();

    // "hlnk".
    private const uint HardLink = 0x686C6E6B;

    private HfsPlusDialect()
    {
        IgnoresCase = true;
    }

    public override FileContent Open(VfsInternals tree, VfsDirEntry entry, long length) => VfsInternals.MacFileTypeOf(entry) == HardLink
        ? throw new GuestException("it is a hard link of HFS+, which is not handled")
        : base.Open(tree, entry, length);
}
