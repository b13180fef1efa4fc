using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>Opens ext2, ext3 and ext4.</summary>
internal static class ExtFileSystem
{
    public static GuestFileSystem Open(FileSystemSource volume, string kind)
    {
        ExtVolume ext = new(volume);
        return new GuestFileSystem(kind, volume, reader: null, new ExtEntry(ext, "", ext.Root.Number))
        {
            Label = ext.Label,
            Usage = () => new FileSystemUsage(ext.TotalBytes - ext.FreeBytes, ext.FreeBytes),
            Notice = ext.NeedsRecovery
                ? "its journal is not replayed, as the guest would do first: what it wrote last may be missing"
                : null,
        };
    }
}
