using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Xfs.Log;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>Opens XFS.</summary>
internal static class XfsFileSystem
{
    public static GuestFileSystem Open(FileSystemSource source, string kind)
    {
        (XfsVolume volume, string? notice) = XfsLog.Replay(source);
        return new GuestFileSystem(kind, source, reader: null, new XfsEntry(volume, "", volume.RootInode))
        {
            Label = volume.Label,
            Usage = () => new FileSystemUsage(Math.Max(0, volume.TotalBytes - volume.FreeBytes), volume.FreeBytes),
            Notice = notice,
        };
    }
}
