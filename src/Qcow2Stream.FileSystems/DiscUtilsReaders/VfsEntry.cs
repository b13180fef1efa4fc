using DiscUtils.Vfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>An entry of a file system whose reader keeps a tree of entries: HFS+, ISO 9660, UDF.</summary>
/// <param name="tree">The reader's tree.</param>
/// <param name="entry">The entry; null for the root.</param>
/// <param name="dialect">What is special about the reader.</param>
internal sealed class VfsEntry(VfsInternals tree, VfsDirEntry? entry, VfsDialect dialect) : GuestEntry(tree.Volume.Options)
{
    private IVfsFile? _file;
    private GuestEntryKind? _kind;

    public override string Name { get; } = entry is null ? "" : dialect.NameOf(entry);

    public override GuestEntryKind Kind => _kind ??=
        entry is null || entry.IsDirectory ? GuestEntryKind.Directory
        : tree.Volume.Call(() => dialect.IsLink(tree, entry)) ? GuestEntryKind.Link
        : KindOf(Attributes);

    public override long Length => Kind == GuestEntryKind.File ? tree.Volume.Call(() => File.FileLength) : 0;

    public override DateTime ModifiedUtc => tree.Volume.Call(() =>
        entry is null ? File.LastWriteTimeUtc : dialect.ModifiedUtcOf(tree, entry));

    public override GuestUnixMode? UnixMode => entry is null ? null : tree.Volume.Call(() => dialect.ModeOf(tree, entry));

    public override string LinkTarget => tree.Volume.Call(() => entry is null ? null : dialect.TargetOf(tree, entry))
        ?? throw new GuestException("the link's target can't be read");

    public override object? Identity => entry is null ? null : tree.Volume.Call(() => dialect.IdentityOf(entry));

    internal override bool IgnoresCase => dialect.IgnoresCase;

    internal override bool HasByteNames => dialect.HasByteNames;

    private FileAttributes Attributes => tree.Volume.Call(() =>
        entry!.HasVfsFileAttributes ? entry.FileAttributes : File.FileAttributes);

    private IVfsFile File => _file ??= entry is null ? (IVfsFile)tree.RootDirectory : tree.FileOf(entry);

    internal override FileContent OpenContent() => tree.Volume.Call(() => dialect.Open(tree, entry!, Length));

    internal override IEnumerable<GuestEntry> ReadDirectory() =>
        tree.Volume.Each(() => VfsInternals.EntriesOf(File))
            .Select(child => new VfsEntry(tree, child, dialect))
            .Where(child => IsShown(child.Name));

    /// <summary>A directory's own name and its parent's are left out, in every form, and the private directories of HFS+.</summary>
    private static bool IsShown(string name) => name is not ("." or ".." or "" or "\u0001") && name[0] != '\0';

    private static GuestEntryKind KindOf(FileAttributes attributes) =>
        attributes.HasFlag(FileAttributes.Device) ? GuestEntryKind.Special
        : attributes.HasFlag(FileAttributes.ReparsePoint) ? GuestEntryKind.Link
        : attributes.HasFlag(FileAttributes.Directory) ? GuestEntryKind.Directory
        : GuestEntryKind.File;
}
