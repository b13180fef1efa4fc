using DiscUtils.Streams;
using DiscUtils.Vfs;

namespace Qcow2Stream.Cli.Guest;

/// <summary>An entry of a file system whose reader keeps a tree of entries: XFS, Btrfs, HFS+, ISO 9660, UDF.</summary>
/// <param name="tree">The reader's tree.</param>
/// <param name="entry">The entry; null for the root.</param>
/// <param name="dialect">What is special about the reader.</param>
internal sealed class VfsEntry(VfsInternals tree, VfsDirEntry? entry, VfsDialect dialect) : GuestEntry
{
    public override string Name { get; } = entry is null ? "" : dialect.NameOf(entry);

    public override GuestEntryKind Kind =>
        entry is null ? GuestEntryKind.Directory
        : entry.IsSymlink ? GuestEntryKind.Link
        : entry.IsDirectory ? GuestEntryKind.Directory
        : KindOf(Attributes);

    public override long Length => Kind == GuestEntryKind.File ? GuestReader.Call(() => File.FileLength) : 0;

    public override DateTime ModifiedUtc => GuestReader.Call(() =>
        entry is { HasVfsTimeInfo: true } ? entry.LastWriteTimeUtc : File.LastWriteTimeUtc);

    public override GuestUnixMode? Mode => entry is null ? null : GuestReader.Call(() => dialect.ModeOf(tree, entry));

    public override string LinkTarget => GuestReader.Call(() => entry is null ? null : dialect.TargetOf(tree, entry))
        ?? throw new GuestException("the link's target can't be read");

    public override object? Identity => entry?.UniqueCacheId;

    protected override bool IgnoresCase => dialect.IgnoresCase;

    private FileAttributes Attributes => GuestReader.Call(() =>
        entry!.HasVfsFileAttributes ? entry.FileAttributes : File.FileAttributes);

    private IVfsFile File => entry is null ? (IVfsFile)tree.RootDirectory : tree.FileOf(entry);

    public override Stream Open() => GuestReader.Call(() => new BufferStream(File.FileContent, FileAccess.Read));

    public override IEnumerable<GuestEntry> Children() =>
        GuestReader.Each(() => VfsInternals.EntriesOf(entry is null ? tree.RootDirectory : File))
            .Select(child => new VfsEntry(tree, child, dialect))
            .Where(child => child.Name is not ("." or ".." or "" or "\0" or "\u0001"));

    private static GuestEntryKind KindOf(FileAttributes attributes) =>
        attributes.HasFlag(FileAttributes.Device) ? GuestEntryKind.Special
        : attributes.HasFlag(FileAttributes.ReparsePoint) ? GuestEntryKind.Link
        : attributes.HasFlag(FileAttributes.Directory) ? GuestEntryKind.Directory
        : GuestEntryKind.File;
}
