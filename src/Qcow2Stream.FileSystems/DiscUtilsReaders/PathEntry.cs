using DiscUtils;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>An entry of a file system whose reader works with paths: FAT and NTFS, where no name holds a backslash.</summary>
internal class PathEntry(DiscFileSystem files, string path) : GuestEntry
{
    private FileAttributes? _attributes;

    public override string Name { get; } = path[(path.LastIndexOf('\\') + 1)..];

    public override GuestEntryKind Kind => IsDirectory ? GuestEntryKind.Directory : GuestEntryKind.File;

    public override long Length => Kind == GuestEntryKind.File ? ReaderErrors.Call(() => files.GetFileLength(Path)) : 0;

    public override DateTime ModifiedUtc => IsRoot ? DateTime.UnixEpoch : ReaderErrors.Call(() => files.GetLastWriteTimeUtc(Path));

    internal override bool IgnoresCase => true;

    protected string Path { get; } = path;

    protected bool IsRoot => Path.Length == 0;

    protected FileAttributes Attributes =>
        _attributes ??= IsRoot ? FileAttributes.Directory : ReaderErrors.Call(() => files.GetAttributes(Path));

    protected bool IsDirectory => Attributes.HasFlag(FileAttributes.Directory);

    internal override FileContent OpenContent() =>
        new DiscUtilsContent(ReaderErrors.Call(() => files.OpenFile(Path, FileMode.Open, FileAccess.Read)), Length);

    internal override IEnumerable<GuestEntry> ReadDirectory() =>
        ReaderErrors.Each(() => Names(IsRoot ? @"\" : Path))
            .Select(child => Of(child.Replace('/', '\\')))
            .Where(child => child.Name is not ("." or ".." or ""));

    /// <summary>Both at once would show the label of a FAT file system too.</summary>
    private IEnumerable<string> Names(string directory) => files.GetDirectories(directory).Concat(files.GetFiles(directory));

    protected virtual PathEntry Of(string child) => new(files, child);
}
