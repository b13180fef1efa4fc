using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Fat;

/// <summary>Opens FAT12, FAT16 and FAT32.</summary>
internal static class FatFileSystem
{
    public static GuestFileSystem Open(FileSystemSource source, string kind)
    {
        FatVolume volume = new(source);
        return new GuestFileSystem(volume.Kind, source, reader: null, FatEntry.RootOf(volume))
        {
            Label = FatDirectory.FindLabel(volume) ?? volume.Label,
            Usage = () => ReaderErrors.Call(() => UsageOf(volume)),
        };
    }

    private static FileSystemUsage UsageOf(FatVolume volume)
    {
        uint free = volume.CountFree();
        return new FileSystemUsage((volume.ClusterCount - free) * (long)volume.ClusterSize, free * (long)volume.ClusterSize);
    }
}
