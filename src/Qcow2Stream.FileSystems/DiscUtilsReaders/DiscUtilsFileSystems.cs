using DiscUtils;
using DiscUtils.HfsPlus;
using DiscUtils.Iso9660;
using DiscUtils.Ntfs;
using DiscUtils.Udf;
using DiscUtils.Vfs;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>
/// Opens each kind of file system by its own class: DiscUtils' registry finds readers by reflection, and takes the first
/// that does not object. Each gets its own cursor.
/// </summary>
internal static class DiscUtilsFileSystems
{
    public static GuestFileSystem OpenHfsPlus(FileSystemSource source, string kind) =>
        OpenTree(source, kind, volume => (new HfsPlusFileSystem(volume.OpenStream()), HfsPlusDialect.Instance));

    public static GuestFileSystem OpenUdf(FileSystemSource source, string kind) =>
        OpenTree(source, kind, volume => (new UdfReader(volume.OpenStream()), UdfDialect.Instance));

    /// <summary>Rock Ridge keeps the most of a file, Joliet whole names; the rest is for discs that have neither.</summary>
    public static GuestFileSystem OpenIso9660(FileSystemSource source, string kind) => OpenTree(source, kind, volume =>
    {
        CDReader disc = new(volume.OpenStream(), joliet: false, hideVersions: true);
        return disc.ActiveVariant == Iso9660Variant.RockRidge
            ? (disc, new RockRidge(volume))
            : (new CDReader(volume.OpenStream(), joliet: true, hideVersions: true), new IsoDialect());
    });

    public static GuestFileSystem OpenNtfs(FileSystemSource source, string kind)
    {
        BudgetedVolume volume = new(source);
        NtfsFileSystem files = volume.Call(() => new NtfsFileSystem(volume.OpenStream()));
        files.NtfsOptions.HideSystemFiles = false;
        files.NtfsOptions.HideHiddenFiles = false;
        return OfDiscUtils(source, volume, kind, files, new NtfsEntry(files, volume, ""));
    }

    private static GuestFileSystem OpenTree(
        FileSystemSource source, string kind, Func<BudgetedVolume, (VfsFileSystemFacade Files, VfsDialect Dialect)> open)
    {
        BudgetedVolume volume = new(source);
        (VfsFileSystemFacade files, VfsDialect dialect) = volume.Call(() => open(volume));
        return OfDiscUtils(source, volume, kind, files, new VfsEntry(VfsInternals.Of(files, volume), entry: null, dialect));
    }

    private static GuestFileSystem OfDiscUtils(FileSystemSource source, BudgetedVolume volume, string kind, DiscFileSystem files, GuestEntry root) =>
        new(kind, source, files, root)
        {
            Label = volume.Call(() => files.VolumeLabel ?? "").TrimEnd('\0', ' '),
            Usage = () => UsageOf(volume, files),
        };

    private static FileSystemUsage? UsageOf(BudgetedVolume volume, DiscFileSystem files)
    {
        try
        {
            long available = volume.Call(() => files.AvailableSpace);
            return new FileSystemUsage(volume.Call(() => files.Size) - available, available);
        }
        catch (GuestException e) when (e.InnerException is NotSupportedException)
        {
            return null;
        }
    }
}
