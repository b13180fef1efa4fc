using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>Opens ext2, ext3 and ext4.</summary>
internal static class ExtFileSystem
{
    public static GuestFileSystem Open(FileSystemSource volume, string kind)
    {
        ExtVolume ext = new(volume);
        string? notice = ExtJournal.Replay(volume, ext);
        if (volume.Replayed is not null)
        {
            // The journal may have a copy of the superblock.
            ext = new ExtVolume(volume);
        }

        return new GuestFileSystem(kind, volume, reader: null, new ExtEntry(ext, "", ext.Root.Number))
        {
            Label = ext.Superblock.Label,
            Usage = () => new FileSystemUsage(ext.TotalBytes - ext.FreeBytes, ext.FreeBytes),
            Notice = notice,
        };
    }
}
