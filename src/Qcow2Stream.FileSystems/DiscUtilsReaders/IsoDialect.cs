using DiscUtils.Vfs;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>ISO 9660 without Rock Ridge: a version ends the name of each file, and nothing is kept for Unix.</summary>
internal class IsoDialect : VfsDialect
{
    public IsoDialect()
    {
        IgnoresCase = true;
    }

    public override string NameOf(VfsDirEntry entry)
    {
        int version = entry.IsDirectory ? -1 : entry.FileName.LastIndexOf(';');
        return version > 0 ? entry.FileName[..version].TrimEnd('.') : entry.FileName;
    }

    public override GuestUnixMode? ModeOf(VfsInternals tree, VfsDirEntry entry) => null;
}
