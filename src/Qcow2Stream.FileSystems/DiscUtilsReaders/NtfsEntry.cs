using System.Buffers.Binary;
using System.Text;
using DiscUtils;
using DiscUtils.Ntfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>An entry of an NTFS file system: reparse points may be links, or may keep their data where its reader does not look.</summary>
internal sealed class NtfsEntry(NtfsFileSystem files, string path) : PathEntry(files, path)
{
    private const uint MountPoint = 0xA0000003;
    private const uint SymbolicLink = 0xA000000C;
    private const uint LinuxLink = 0xA000001D;
    private const uint CompactOs = 0x80000017;

    private const string InNamespace = @"\??\";

    private ReparsePoint? _reparsePoint;

    public override GuestEntryKind Kind =>
        Attributes.HasFlag(FileAttributes.ReparsePoint) && Tag is MountPoint or SymbolicLink or LinuxLink
            ? GuestEntryKind.Link
            : base.Kind;

    public override string LinkTarget => ReaderErrors.Call(() => Tag switch
    {
        // ReparseTag's data: a version, then the target.
        LinuxLink => Encoding.UTF8.GetString(Point.Content.AsSpan(4)),
        SymbolicLink => WindowsTarget(pathBuffer: 12),
        _ => WindowsTarget(pathBuffer: 8),
    });

    private ReparsePoint Point => _reparsePoint ??= ReaderErrors.Call(() => files.GetReparsePoint(Path))
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

        return base.OpenContent();
    }

    protected override PathEntry Of(string child) => new NtfsEntry(files, child);

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
