namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Reads all that a file system says, and forgets it: for damaged ones, of which only errors of their own kind may come.</summary>
internal static class GuestReading
{
    private const int MostEntries = 5000;
    private const long MostRead = 64 << 20;

    /// <summary>Walks the tree and reads every entry.</summary>
    /// <returns>How many faults there were.</returns>
    public static int ReadAll(GuestFileSystem files)
    {
        int faults = 0;
        long budget = MostRead;
        foreach ((_, GuestEntry entry) in files.Root.EnumerateTree(_ => faults++).Take(MostEntries))
        {
            try
            {
                _ = (entry.UnixMode, entry.ModifiedUtc);
                if (entry.Kind != GuestEntryKind.File || (budget -= entry.Length) > 0)
                {
                    Read(entry);
                }
            }
            catch (GuestException)
            {
                faults++;
            }
        }

        return faults;
    }

    /// <summary>Reads an entry's names, target or bytes.</summary>
    public static void Read(GuestEntry entry)
    {
        switch (entry.Kind)
        {
            case GuestEntryKind.Directory:
                _ = entry.EnumerateChildren().Count();
                break;
            case GuestEntryKind.Link:
                _ = entry.LinkTarget;
                break;
            case GuestEntryKind.File:
                entry.CopyContentTo(Stream.Null);
                break;
            default:
                break;
        }
    }

    /// <summary>The bytes of a small file.</summary>
    public static byte[] Bytes(GuestEntry file)
    {
        using MemoryStream bytes = new();
        file.CopyContentTo(bytes);
        return bytes.ToArray();
    }
}
