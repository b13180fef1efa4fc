namespace Qcow2Stream.Cli.Guest;

/// <summary>A name in a guest's file system and what it stands for. Links are not followed here.</summary>
internal abstract class GuestEntry
{
    /// <summary>The name in its directory: untrusted text, which may hold anything but is only ever compared and shown.</summary>
    public abstract string Name { get; }

    public abstract GuestEntryKind Kind { get; }

    /// <summary>The size in bytes; 0 for what has no content.</summary>
    public abstract long Length { get; }

    public abstract DateTime ModifiedUtc { get; }

    /// <summary>Permissions, owner and links, where the file system keeps them.</summary>
    public virtual GuestUnixMode? Mode => null;

    /// <summary>Where a link leads, with slashes.</summary>
    /// <exception cref="GuestException">The reader does not tell.</exception>
    public virtual string LinkTarget => throw new GuestException("it is no link");

    /// <summary>What tells a directory from all others of its file system; null where that can't be known.</summary>
    public virtual object? Identity => null;

    /// <summary>Whether its file system finds names in either case.</summary>
    protected virtual bool IgnoresCase => false;

    /// <summary>Opens a file's content.</summary>
    public abstract Stream Open();

    /// <summary>What a directory holds, without <c>.</c> and <c>..</c>.</summary>
    public abstract IEnumerable<GuestEntry> Children();

    /// <summary>The child of that name, exactly so or, where case does not matter, nearly; null if there is none.</summary>
    public GuestEntry? Child(string name)
    {
        GuestEntry? similar = null;
        foreach (GuestEntry child in Children())
        {
            if (child.Name == name)
            {
                return child;
            }

            if (IgnoresCase && similar is null && child.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                similar = child;
            }
        }

        return similar;
    }
}
