using Shared;

namespace Qcow2Stream.Cli.Guest;

/// <summary>The guest's disk, as its partition table divides it.</summary>
internal sealed class GuestDisk : IDisposable
{
    private readonly Qcow2Chain _chain;

    /// <summary>Reads the partition table.</summary>
    /// <param name="chain">The disk's chain, which this then owns, also where this fails.</param>
    public GuestDisk(Qcow2Chain chain)
    {
        _chain = chain;
        try
        {
            (Table, Volumes) = ReadVolumes(chain);
        }
        catch
        {
            chain.Dispose();
            throw;
        }
    }

    /// <summary>GPT or MBR; null for a disk without partitions.</summary>
    public string? Table { get; }

    /// <summary>The partitions as the table lists them; the whole disk if there is none, or if it is a file system itself.</summary>
    public IReadOnlyList<GuestVolume> Volumes { get; }

    /// <summary>Finds what a path names.</summary>
    /// <param name="path">From the root of its file system.</param>
    /// <param name="partition">The partition's number; null for the only one that has the path.</param>
    /// <param name="messages">Is told what a user should know of the file system.</param>
    /// <returns>The file system, which the caller disposes, and what was found.</returns>
    /// <exception cref="GuestException">Nothing, or too much, is found; the message says where it was looked for.</exception>
    public (GuestFileSystem Files, GuestEntry Entry) Find(string path, int? partition, TextWriter messages)
    {
        List<(GuestVolume Volume, GuestFileSystem Files, GuestEntry Entry)> found = [];
        List<string> searched = [];
        List<string> faults = [];
        foreach (GuestVolume volume in partition is { } number ? [VolumeOf(number)] : Volumes.Where(v => v.Content.IsReadable))
        {
            try
            {
                GuestFileSystem files = volume.OpenFileSystem();
                searched.Add($"{volume} ({files.Kind})");
                if (GuestPath.Find(files, path) is { } entry)
                {
                    found.Add((volume, files, entry));
                }
                else
                {
                    files.Dispose();
                }
            }
            catch (GuestException e)
            {
                faults.Add(e.Message);
            }
        }

        if (found is [var only])
        {
            if (only.Files.Notice is { } notice)
            {
                messages.WriteLine($"qcow2: {only.Volume} ({only.Files.Kind}): {notice}");
            }

            return (only.Files, only.Entry);
        }

        found.ForEach(f => f.Files.Dispose());
        string name = PrintableText.Escape(path);
        throw new GuestException(
            found.Count > 1 ? $"'{name}' is on {string.Join(" and ", found.Select(f => $"{f.Volume} ({f.Files.Kind})"))}; choose with --partition N"
            : faults.Count > 0 ? string.Join("; ", faults)
            : searched.Count > 0 ? $"'{name}' does not exist on {string.Join(" or ", searched)}"
            : $"no file system that can be read: found {string.Join(", ", Volumes.Select(v => $"{v.Content.Name} on {v}"))} (for more: qcow2 df)");
    }

    public void Dispose() => _chain.Dispose();

    private static (string? Table, IReadOnlyList<GuestVolume> Volumes) ReadVolumes(Qcow2Chain chain)
    {
        using Qcow2ChainStream disk = chain.OpenStream();
        (string? table, IReadOnlyList<Partition>? partitions) = PartitionTables.Read(disk);
        GuestVolume whole = new(chain, new Partition(GuestVolume.WholeDisk, "whole disk", 0, chain.Length));
        IEnumerable<GuestVolume> parts = (partitions ?? []).Select(partition => new GuestVolume(chain, partition));

        // Discs that also boot from a stick have a partition table in front of their file system.
        return (table, table is null ? [whole] : whole.Content.IsReadable ? [whole, .. parts] : [.. parts]);
    }

    private GuestVolume VolumeOf(int number) => Volumes.FirstOrDefault(v => v.Partition.Number == number)
        ?? throw new GuestException(Table is null
            ? $"there is no partition {number}: the disk has no partition table (to take it as a whole: --partition 0, or leave it out)"
            : $"there is no partition {number}; the disk has {string.Join(", ", Volumes.Select(v => v.ToString()))} (for more: qcow2 df)");
}
