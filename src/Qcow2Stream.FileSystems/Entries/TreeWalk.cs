namespace Qcow2Stream.FileSystems.Entries;

/// <summary>
/// Goes through a directory tree of the guest, parents first, names in order. What can't be read is reported and left
/// out; the walk continues and, whatever the file system says, ends.
/// </summary>
/// <param name="faults">Receives the path and what is wrong there.</param>
/// <param name="cancellationToken">Ends the walk, between one entry and the next.</param>
/// <param name="maxLevels">How many levels of directories are listed: 1 for what is in the first one itself.</param>
internal sealed class TreeWalk(Faults faults, CancellationToken cancellationToken, int maxLevels = int.MaxValue)
{
    // Deeper than any path that a guest's own system can name (4096 bytes).
    private const int MaxDepth = 2048;

    // Four times as long as a path that a system takes: each level keeps its own.
    private const int MaxPathLength = 16384;

    // A directory has one parent: what is come to again leads round in a circle, or is damaged in another way.
    private readonly HashSet<object> _visited = [];

    /// <summary>Everything below a directory, with its path from there.</summary>
    /// <param name="directory">Where to start.</param>
    /// <param name="enters">Asked for each directory, after it was handed out, whether to enter it; null for all.</param>
    public IEnumerable<WalkStep> Below(GuestEntry directory, Func<string, bool>? enters = null)
    {
        Stack<Level> levels = new();
        _visited.Clear();
        Enter(levels, directory, path: "");
        while (levels.TryPeek(out Level? level))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (level.Next >= level.Entries.Count)
            {
                levels.Pop();
                continue;
            }

            // Not kept: what it has read of itself may be more than its name.
            GuestEntry entry = level.Entries[level.Next];
            level.Entries[level.Next++] = null!;
            if (level.Path.Length + entry.Name.Length > MaxPathLength)
            {
                faults.Report(level.Path, new GuestException($"what is in it has a path of more than {MaxPathLength} characters"));
                levels.Pop();
                continue;
            }

            // What isn't entered need not say what it is: its name stands in its directory.
            string path = $"{level.Path}/{entry.Name}";
            GuestEntryKind? kind = null;
            if (levels.Count < maxLevels && (kind = KindOf(entry, path)) is null)
            {
                continue;
            }

            yield return new WalkStep(path, entry, levels.Count - 1);
            if (kind == GuestEntryKind.Directory && enters?.Invoke(path) != false)
            {
                Enter(levels, entry, path);
            }
        }
    }

    private void Enter(Stack<Level> levels, GuestEntry directory, string path)
    {
        object? identity = directory.Identity;
        if (identity is not null && !_visited.Add(identity))
        {
            bool holdsItself = levels.Any(level => identity.Equals(level.Identity));
            faults.Report(path, new GuestException(holdsItself ? "the directory holds itself" : "the directory has another name too, which none may have"));
        }
        else if (levels.Count >= MaxDepth)
        {
            faults.Report(path, new GuestException($"directories are nested more than {MaxDepth} deep"));
        }
        else
        {
            levels.Push(new Level(path, identity, Entries(directory, path)));
        }
    }

    /// <summary>The entries of a directory, in the order of their names; those that came before an error.</summary>
    private List<GuestEntry> Entries(GuestEntry directory, string path)
    {
        List<GuestEntry> entries = [];
        try
        {
            foreach (GuestEntry entry in directory.EnumerateChildren())
            {
                cancellationToken.ThrowIfCancellationRequested();
                entries.Add(entry);
            }
        }
        catch (IOException e)
        {
            faults.Report(path, e);
        }

        entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return entries;
    }

    private GuestEntryKind? KindOf(GuestEntry entry, string path)
    {
        try
        {
            return entry.Kind;
        }
        catch (IOException e)
        {
            faults.Report(path, e);
            return null;
        }
    }

    private sealed class Level(string path, object? identity, List<GuestEntry> entries)
    {
        public string Path { get; } = path;

        public object? Identity { get; } = identity;

        public List<GuestEntry> Entries { get; } = entries;

        public int Next { get; set; }
    }
}
