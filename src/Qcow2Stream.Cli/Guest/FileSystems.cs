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
using Qcow2Stream.Cli.Guest.Ext;
using Qcow2Stream.Cli.Guest.Paths;
using Qcow2Stream.Cli.Guest.Vfs;

namespace Qcow2Stream.Cli.Guest;

/// <summary>
/// Opens each kind of file system by its own class: DiscUtils' registry finds readers by reflection, and takes the first
/// that does not object.
/// </summary>
internal static class FileSystems
{
    public static GuestFileSystem OpenExt(Stream volume, string kind)
    {
        ExtVolume ext = new(volume);
        return new GuestFileSystem(kind, volume, new ExtEntry(ext, "", ext.Root.Number))
        {
            Label = ext.Label,
            Usage = () => (ext.TotalBytes - ext.FreeBytes, ext.FreeBytes),
            Notice = ext.NeedsRecovery
                ? "its journal is not replayed, as the guest would do first: what it wrote last may be missing"
                : null,
        };
    }

    public static GuestFileSystem OpenXfs(Stream volume, string kind) => OfTree(kind, new XfsFileSystem(volume), new XfsDialect(volume));

    public static GuestFileSystem OpenBtrfs(Stream volume, string kind) => OfTree(kind, new BtrfsFileSystem(volume), new BtrfsDialect(volume));

    public static GuestFileSystem OpenHfsPlus(Stream volume, string kind) => OfTree(kind, new HfsPlusFileSystem(volume), HfsPlusDialect.Instance);

    public static GuestFileSystem OpenUdf(Stream volume, string kind) => OfTree(kind, new UdfReader(volume), UdfDialect.Instance);

    /// <summary>Rock Ridge keeps the most of a file, Joliet whole names; the rest is for discs that have neither.</summary>
    public static GuestFileSystem OpenIso9660(Stream volume, string kind)
    {
        CDReader disc = new(volume, joliet: false, hideVersions: true);
        return disc.ActiveVariant == Iso9660Variant.RockRidge
            ? OfTree(kind, disc, new RockRidge(volume))
            : OfTree(kind, new CDReader(volume, joliet: true, hideVersions: true), new IsoDialect());
    }

    public static GuestFileSystem OpenFat(Stream volume, string kind)
    {
        FatFileSystem files = new(volume, Ownership.None);
        string variant = files.FatVariant switch
        {
            FatType.Fat12 => "FAT12",
            FatType.Fat16 => "FAT16",
            FatType.Fat32 => "FAT32",
            _ => kind,
        };
        return OfDiscUtils(variant, files, new PathEntry(files, ""));
    }

    public static GuestFileSystem OpenNtfs(Stream volume, string kind)
    {
        NtfsFileSystem files = new(volume);
        files.NtfsOptions.HideSystemFiles = false;
        files.NtfsOptions.HideHiddenFiles = false;
        return OfDiscUtils(kind, files, new NtfsEntry(files, ""));
    }

    private static GuestFileSystem OfTree(string kind, VfsFileSystemFacade files, VfsDialect? dialect = null) => OfDiscUtils(
        kind, files, new VfsEntry(VfsInternals.Of(files), entry: null, dialect ?? VfsDialect.Plain));

    private static GuestFileSystem OfDiscUtils(string kind, DiscFileSystem files, GuestEntry root) => new(kind, files, root)
    {
        Label = GuestReader.Call(() => files.VolumeLabel ?? "").TrimEnd('\0', ' '),
        Usage = () => UsageOf(files),
    };

    private static (long Used, long Available)? UsageOf(DiscFileSystem files)
    {
        try
        {
            long available = GuestReader.Call(() => files.AvailableSpace);
            return (GuestReader.Call(() => files.Size) - available, available);
        }
        catch (GuestException e) when (e.InnerException is NotSupportedException)
        {
            return null;
        }
    }
}
