namespace Qcow2Stream.FileSystems.Entries;

/// <summary>Finds what a path of the guest names. Links are followed inside the guest, as it would follow them itself.</summary>
internal static class PathSearch
{
    // Linux's own limit.
    private const int MaxLinks = 40;

    /// <summary>Returns null if there is no such path.</summary>
    /// <param name="root">The file system's root; a path always starts from it.</param>
    /// <param name="path">Components with slashes between them.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="GuestException">Something on the way can't be read, or links lead round in circles.</exception>
    public static GuestEntry? Find(GuestEntry root, string path, CancellationToken cancellationToken)
    {
        Stack<GuestEntry> way = new([root]);
        Stack<string> ahead = new(Split(path));
        int links = 0;
        while (ahead.TryPop(out string? name))
        {
            if (name == "..")
            {
                // Above the root there is the root again.
                if (way.Count > 1)
                {
                    way.Pop();
                }

                continue;
            }

            if (way.Peek().Kind != GuestEntryKind.Directory || way.Peek().FindChild(name, cancellationToken) is not { } found)
            {
                return null;
            }

            if (found.Kind != GuestEntryKind.Link)
            {
                way.Push(found);
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new GuestException($"too many links lead to '{ShortText.Of(path)}'");
            }

            string target = found.LinkTarget;
            if (target.StartsWith('/'))
            {
                way = new([root]);
            }

            foreach (string component in Split(target))
            {
                ahead.Push(component);
            }
        }

        return way.Peek();
    }

    /// <summary>The components, last first.</summary>
    private static IEnumerable<string> Split(string path) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(name => name != ".").Reverse();
}
