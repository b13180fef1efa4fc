using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>Opens XFS.</summary>
internal static class XfsFileSystem
{
    public static GuestFileSystem Open(FileSystemSource source, string kind)
    {
        XfsVolume volume = new(source);
        return new GuestFileSystem(kind, source, reader: null, new XfsEntry(volume, "", volume.RootInode))
        {
            Label = volume.Label,
            Usage = () => new FileSystemUsage(Math.Max(0, volume.TotalBytes - volume.FreeBytes), volume.FreeBytes),
            Notice = XfsLog.NeedsReplay(volume)
                ? "its log is not replayed, as the guest would do first: what it wrote last may be missing"
                : null,
        };
    }
}
