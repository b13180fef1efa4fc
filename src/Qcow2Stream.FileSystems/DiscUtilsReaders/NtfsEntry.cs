using System.Buffers.Binary;
using System.Text;
using DiscUtils;
using DiscUtils.Ntfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>
/// An entry of an NTFS file system, whose reader works with paths; no name holds a backslash. Reparse points may be links, or may keep their data where
/// the reader does not look.
/// </summary>
internal sealed class NtfsEntry(NtfsFileSystem files, BudgetedVolume volume, string path) : GuestEntry(volume.Options)
{
    private const uint MountPoint = 0xA0000003;
    private const uint SymbolicLink = 0xA000000C;
    private const uint LinuxLink = 0xA000001D;
    private const uint CompactOs = 0x80000017;

    private const string InNamespace = @"\??\";

    private ReparsePoint? _reparsePoint;
    private FileAttributes? _attributes;

    public override string Name { get; } = path[(path.LastIndexOf('\\') + 1)..];

    public override GuestEntryKind Kind =>
        Attributes.HasFlag(FileAttributes.ReparsePoint) && Tag is MountPoint or SymbolicLink or LinuxLink ? GuestEntryKind.Link
        : IsDirectory ? GuestEntryKind.Directory
        : GuestEntryKind.File;

    public override long Length => Kind == GuestEntryKind.File ? volume.Call(() => files.GetFileLength(path)) : 0;

    public override DateTime ModifiedUtc => IsRoot ? DateTime.UnixEpoch : volume.Call(() => files.GetLastWriteTimeUtc(path));

    public override string LinkTarget => volume.Call(() => Tag switch
    {
        // ReparseTag's data: a version, then the target.
        LinuxLink => Encoding.UTF8.GetString(Point.Content.AsSpan(4)),
        SymbolicLink => WindowsTarget(pathBuffer: 12),
        _ => WindowsTarget(pathBuffer: 8),
    });

    /// <summary>The reference of its record in the master file table. Files may have several names; directories have one.</summary>
    public override object? Identity => IsDirectory ? volume.Call(() => files.GetFileId(PathOrRoot)) : null;

    internal override bool IgnoresCase => true;

    private bool IsRoot => path.Length == 0;

    private string PathOrRoot => IsRoot ? @"\" : path;

    private bool IsDirectory => Attributes.HasFlag(FileAttributes.Directory);

    private FileAttributes Attributes => _attributes ??= IsRoot ? FileAttributes.Directory : volume.Call(() => files.GetAttributes(path));

    private ReparsePoint Point => _reparsePoint ??= volume.Call(() => files.GetReparsePoint(path))
        ?? throw new GuestException("its reparse point is missing");

    private uint Tag => unchecked((uint)Point.Tag);

    internal override FileContent OpenContent()
    {
        if (Attributes.HasFlag(FileAttributes.Encrypted))
        {
            throw new GuestException("it is encrypted by Windows (EFS)");
        }

        if (Attributes.HasFlag(FileAttributes.ReparsePoint))
        {
            throw new GuestException(Tag == CompactOs
                ? "it is compressed by Windows outside NTFS (CompactOS), which is not handled"
                : $"its content is kept elsewhere (reparse point 0x{Tag:x8}), which is not handled");
        }

        return new DiscUtilsContent(volume, volume.Call(() => files.OpenFile(path, FileMode.Open, FileAccess.Read)), Length, () => NtfsRuns.Find(volume, files, path, Length));
    }

    internal override IEnumerable<GuestEntry> ReadDirectory() =>
        volume.Each(() => files.GetDirectories(PathOrRoot).Concat(files.GetFiles(PathOrRoot)))
            .Select(child => new NtfsEntry(files, volume, child.Replace('/', '\\')))
            .Where(child => child.Name is not ("." or ".." or ""));

    /// <summary>Windows keeps a name for itself, and one to show: the first counts, made a path of the guest.</summary>
    private string WindowsTarget(int pathBuffer)
    {
        ReadOnlySpan<byte> content = Point.Content;
        int offset = BinaryPrimitives.ReadUInt16LittleEndian(content);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(content[2..]);
        string target = Encoding.Unicode.GetString(content.Slice(pathBuffer + offset, length));
        if (target.StartsWith(InNamespace, StringComparison.Ordinal))
        {
            target = target[InNamespace.Length..];
        }

        bool hasDrive = target.Length >= 2 && target[1] == ':';
        return (hasDrive ? target[2..] : target).Replace('\\', '/');
    }
}
