using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>
/// The input says which of some guests' disks is changed where: its file system is listed and read, and nothing but errors of its own kind comes of that. Only
/// file systems whose readers are ours are asked.
/// </summary>
internal sealed class GuestsHarness : IHarness
{
    private const int MostEntries = 300;
    private const int MostRead = 4096;
    private const int MostExtents = 64;
    private const int MostInput = 400;

    private static readonly string[] Names = ["btrfs", "xfs-v5", "xfs-v4", "ext4", "ext4-1k", "ext4-inline-data", "fat16", "fat32"];

    private readonly GuestDisk[] _disks = [.. Names.Select(name => new GuestDisk(name))];

    public string Name => "guests";

    public IEnumerable<KeyValuePair<string, byte[]>> Seeds => Names.SelectMany((name, i) => new[]
    {
        KeyValuePair.Create(name, new byte[] { (byte)i }),
        KeyValuePair.Create($"{name}-changed", new byte[] { (byte)i, 1, 0, 40, 0, 2, 3, 0, 57, 0, 1 }),
    });

    public void Run(ArraySegment<byte> input)
    {
        if (input.Count is 0 or > MostInput)
        {
            return;
        }

        GuestDisk disk = _disks[input[0] % _disks.Length];
        disk.Change(input[1..]);
        try
        {
            using Guest guest = Guest.Open(disk, new GuestOptions { LeaveOpen = true, MaxDirectoryEntries = 10_000 });
            foreach (GuestVolume volume in guest.Volumes.Where(v => v.IsReadable && v.Content is not ("NTFS" or "HFS+" or "UDF" or "ISO 9660")))
            {
                using GuestFileSystem files = volume.OpenFileSystem();
                foreach ((_, GuestEntry entry) in files.Root.EnumerateTree(_ => { }).Take(MostEntries))
                {
                    Look(entry);
                }

                _ = files.Find("/etc/os-release");
                _ = files.GetSubvolumes();
                _ = files.GetUsage();
            }
        }
        catch (Exception e) when (e is GuestException or Qcow2Exception)
        {
            // It can't be opened, or not be read further.
        }
    }

    private static void Look(GuestEntry entry)
    {
        try
        {
            _ = (entry.UnixMode, entry.ModifiedUtc, entry.Length);
            if (entry.Kind == GuestEntryKind.Link)
            {
                _ = entry.LinkTarget;
            }

            if (entry.Kind == GuestEntryKind.File)
            {
                using Stream content = entry.Open();
                Span<byte> bytes = stackalloc byte[MostRead];
                _ = content.Read(bytes);
                content.Position = content.Length / 2;
                _ = content.Read(bytes);
                if (content is DiscUtils.Streams.SparseStream sparse)
                {
                    _ = sparse.Extents.Take(MostExtents).Count();
                }
            }
        }
        catch (Exception e) when (e is GuestException or Qcow2Exception)
        {
            // This one is damaged.
        }
    }
}
