using DiscUtils;
using DiscUtils.Btrfs;
using DiscUtils.Fat;
using DiscUtils.HfsPlus;
using DiscUtils.Iso9660;
using DiscUtils.Ntfs;
using DiscUtils.Streams;
using DiscUtils.Udf;
using DiscUtils.Vfs;
using DiscUtils.Xfs;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>
/// Opens each kind of file system by its own class: DiscUtils' registry finds readers by reflection, and takes the first
/// that does not object. Each gets its own cursor.
/// </summary>
internal static class DiscUtilsFileSystems
{
    public static GuestFileSystem OpenXfs(FileSystemSource volume, string kind) =>
        OfTree(volume, kind, new XfsFileSystem(volume.OpenStream()), new XfsDialect(volume));

    public static GuestFileSystem OpenBtrfs(FileSystemSource volume, string kind) =>
        OfTree(volume, kind, new BtrfsFileSystem(volume.OpenStream()), new BtrfsDialect(volume));

    public static GuestFileSystem OpenHfsPlus(FileSystemSource volume, string kind) =>
        OfTree(volume, kind, new HfsPlusFileSystem(volume.OpenStream()), HfsPlusDialect.Instance);

    public static GuestFileSystem OpenUdf(FileSystemSource volume, string kind) =>
        OfTree(volume, kind, new UdfReader(volume.OpenStream()), UdfDialect.Instance);

    /// <summary>Rock Ridge keeps the most of a file, Joliet whole names; the rest is for discs that have neither.</summary>
    public static GuestFileSystem OpenIso9660(FileSystemSource volume, string kind)
    {
        CDReader disc = new(volume.OpenStream(), joliet: false, hideVersions: true);
        return disc.ActiveVariant == Iso9660Variant.RockRidge
            ? OfTree(volume, kind, disc, new RockRidge(volume))
            : OfTree(volume, kind, new CDReader(volume.OpenStream(), joliet: true, hideVersions: true), new IsoDialect());
    }

    public static GuestFileSystem OpenFat(FileSystemSource volume, string kind)
    {
        FatFileSystem files = new(volume.OpenStream(), Ownership.None);
        string variant = files.FatVariant switch
        {
            FatType.Fat12 => "FAT12",
            FatType.Fat16 => "FAT16",
            FatType.Fat32 => "FAT32",
            _ => kind,
        };
        return OfDiscUtils(volume, variant, files, new PathEntry(files, ""));
    }

    public static GuestFileSystem OpenNtfs(FileSystemSource volume, string kind)
    {
        NtfsFileSystem files = new(volume.OpenStream());
        files.NtfsOptions.HideSystemFiles = false;
        files.NtfsOptions.HideHiddenFiles = false;
        return OfDiscUtils(volume, kind, files, new NtfsEntry(files, ""));
    }

    private static GuestFileSystem OfTree(FileSystemSource volume, string kind, VfsFileSystemFacade files, VfsDialect dialect) =>
        OfDiscUtils(volume, kind, files, new VfsEntry(VfsInternals.Of(files), entry: null, dialect));

    private static GuestFileSystem OfDiscUtils(FileSystemSource volume, string kind, DiscFileSystem files, GuestEntry root) =>
        new(kind, volume, files, root)
        {
            Label = ReaderErrors.Call(() => files.VolumeLabel ?? "").TrimEnd('\0', ' '),
            Usage = () => UsageOf(files),
        };

    private static FileSystemUsage? UsageOf(DiscFileSystem files)
    {
        try
        {
            long available = ReaderErrors.Call(() => files.AvailableSpace);
            return new FileSystemUsage(ReaderErrors.Call(() => files.Size) - available, available);
        }
        catch (GuestException e) when (e.InnerException is NotSupportedException)
        {
            return null;
        }
    }
}
