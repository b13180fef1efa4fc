using DiscUtils;

namespace Qcow2Stream.Cli.Guest.Paths;

/// <summary>An entry of a file system whose reader works with paths: FAT and NTFS, where no name holds a backslash.</summary>
internal class PathEntry(DiscFileSystem files, string path) : GuestEntry
{
    private FileAttributes? _attributes;

    public override string Name { get; } = path[(path.LastIndexOf('\\') + 1)..];

    public override GuestEntryKind Kind => IsDirectory ? GuestEntryKind.Directory : GuestEntryKind.File;

    public override long Length => Kind == GuestEntryKind.File ? GuestReader.Call(() => files.GetFileLength(Path)) : 0;

    public override DateTime ModifiedUtc => IsRoot ? DateTime.UnixEpoch : GuestReader.Call(() => files.GetLastWriteTimeUtc(Path));

    protected override bool IgnoresCase => true;

    protected string Path { get; } = path;

    protected bool IsRoot => Path.Length == 0;

    protected FileAttributes Attributes =>
        _attributes ??= IsRoot ? FileAttributes.Directory : GuestReader.Call(() => files.GetAttributes(Path));

    protected bool IsDirectory => Attributes.HasFlag(FileAttributes.Directory);

    public override Stream Open() => GuestReader.Call(() => files.OpenFile(Path, FileMode.Open, FileAccess.Read));

    public override IEnumerable<GuestEntry> Children() =>
        GuestReader.Each(() => Names(IsRoot ? @"\" : Path))
            .Select(child => Of(child.Replace('/', '\\')))
            .Where(child => child.Name is not ("." or ".." or ""));

    /// <summary>Both at once would show the label of a FAT file system too.</summary>
    private IEnumerable<string> Names(string directory) => files.GetDirectories(directory).Concat(files.GetFiles(directory));

    protected virtual PathEntry Of(string child) => new(files, child);
}
