using DiscUtils.Vfs;

namespace Qcow2Stream.Cli.Guest;

/// <summary>What differs between the readers that <see cref="VfsEntry"/> stands for.</summary>
internal class VfsDialect
{
    public static readonly VfsDialect Plain = new();

    public static readonly VfsDialect IgnoringCase = new() { IgnoresCase = true };

    public bool IgnoresCase { get; protected init; }

    public virtual string NameOf(VfsDirEntry entry) => entry.FileName;

    public virtual GuestUnixMode? ModeOf(VfsInternals tree, VfsDirEntry entry) => tree.ModeOf(entry);

    /// <summary>A link's content is its target: the reader's own notion of it knows no letters beyond ASCII.</summary>
    /// <returns>Null if it can't be told.</returns>
    public virtual string? TargetOf(VfsInternals tree, VfsDirEntry entry) => VfsInternals.TargetOf(tree.FileOf(entry));
}
