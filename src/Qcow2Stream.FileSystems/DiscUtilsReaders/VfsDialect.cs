using DiscUtils.Streams;
using DiscUtils.Vfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>What differs between the readers that <see cref="VfsEntry"/> stands for.</summary>
internal abstract class VfsDialect
{
    public bool IgnoresCase { get; protected init; }

    /// <inheritdoc cref="GuestEntry.HasByteNames"/>
    public bool HasByteNames { get; protected init; }

    /// <summary>Whether the reader knows where the holes of files are; others take everything for stored.</summary>
    public bool TellsHoles { get; protected init; }

    public virtual string NameOf(VfsDirEntry entry) => entry.FileName;

    public virtual DateTime ModifiedUtcOf(VfsInternals tree, VfsDirEntry entry) =>
        entry.HasVfsTimeInfo ? entry.LastWriteTimeUtc : tree.FileOf(entry).LastWriteTimeUtc;

    public virtual GuestUnixMode? ModeOf(VfsInternals tree, VfsDirEntry entry) => tree.ModeOf(entry);

    /// <summary>What distinguishes a directory from all others of the file system.</summary>
    public virtual object IdentityOf(VfsDirEntry entry) => entry.UniqueCacheId;

    public virtual bool IsLink(VfsInternals tree, VfsDirEntry entry) => entry.IsSymlink;

    /// <summary>A file's content, so many bytes of it.</summary>
    public virtual FileContent Open(VfsInternals tree, VfsDirEntry entry, long length)
    {
        BufferStream content = StreamOf(tree, entry);
        return new DiscUtilsContent(tree.Volume, content, length, TellsHoles ? () => content.Extents : null);
    }

    /// <summary>A link's content is its target: the reader's own notion of it knows no letters beyond ASCII.</summary>
    /// <returns>Null if it can't be known.</returns>
    public virtual string? TargetOf(VfsInternals tree, VfsDirEntry entry) => VfsInternals.TargetOf(tree.FileOf(entry));

    protected static BufferStream StreamOf(VfsInternals tree, VfsDirEntry entry) => new BufferStream(tree.FileOf(entry).FileContent, FileAccess.Read);
}
