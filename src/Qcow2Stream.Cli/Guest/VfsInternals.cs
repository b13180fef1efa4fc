using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Text;
using DiscUtils;
using DiscUtils.Vfs;

namespace Qcow2Stream.Cli.Guest;

/// <summary>
/// The directory tree inside a reader of DiscUtils. Its public side works with paths alone: there, a link is always
/// followed, a dangling one throws, its target is not told, and a name with a backslash can't be reached. Behind it
/// stands a tree of entries that has none of these faults, most of it public types; this class reads the few members
/// that are not.
/// </summary>
/// <remarks>DiscUtils.rd.xml keeps what is looked at in a native binary.</remarks>
[UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "DiscUtils.rd.xml keeps what is looked at.")]
[UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "DiscUtils.rd.xml keeps what is looked at.")]
internal sealed class VfsInternals
{
    private const int PermissionBits = 0xFFF;

    // As long as a path may be on any system.
    private const int MaxTargetLength = 1 << 16;

    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private readonly DiscFileSystem _real;
    private readonly MethodInfo _getFile;
    private readonly PropertyInfo _rootDirectory;

    private VfsInternals(DiscFileSystem real, Type vfs)
    {
        _real = real;
        _rootDirectory = Property(vfs, "RootDirectory");
        _getFile = vfs.GetMethod("GetFile", Members, [vfs.GenericTypeArguments[0]]) ?? throw Missing(vfs, "GetFile");
    }

    public object RootDirectory => Get(_rootDirectory, _real);

    public static VfsInternals Of(VfsFileSystemFacade files)
    {
        FieldInfo wrapped = typeof(VfsFileSystemFacade).GetField("_wrapped", Members)
            ?? throw Missing(typeof(VfsFileSystemFacade), "_wrapped");
        DiscFileSystem real = (DiscFileSystem)wrapped.GetValue(files)!;
        for (Type? type = real.GetType(); type is not null; type = type.BaseType)
        {
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(VfsFileSystem<,,,>))
            {
                return new VfsInternals(real, type);
            }
        }

        throw Missing(real.GetType(), "VfsFileSystem");
    }

    /// <summary>What an entry stands for.</summary>
    public IVfsFile FileOf(VfsDirEntry entry) =>
        (IVfsFile)_getFile.Invoke(_real, BindingFlags.DoNotWrapExceptions, binder: null, [entry], culture: null)!;

    public static IEnumerable<VfsDirEntry> EntriesOf(object directory) =>
        (IEnumerable<VfsDirEntry>)Get(Property(directory.GetType(), "AllEntries"), directory);

    /// <summary>A name as it stands in an XFS directory; null for anything else.</summary>
    public static byte[]? RawNameOf(VfsDirEntry entry) =>
        Member(entry, "_entry") is { } record ? (byte[]?)Member(record, "Name") : null;

    /// <summary>The content of what its reader takes for a link; null for anything else.</summary>
    public static string? TargetOf(IVfsFile link)
    {
        if (link.GetType().GetProperty("TargetPath", Members) is null)
        {
            return null;
        }

        byte[] content = new byte[Math.Min(link.FileLength, MaxTargetLength)];
        int length = link.FileContent.Read(0, content);
        int end = content.AsSpan(0, length).IndexOf((byte)0);
        return Encoding.UTF8.GetString(content, 0, end < 0 ? length : end);
    }

    /// <summary>
    /// The system use area of an entry of an ISO 9660 disc; null for anything else. What the reader keeps of the file
    /// itself is no good: all empty files, and so all links, share one.
    /// </summary>
    public static byte[]? SystemUseDataOf(VfsDirEntry entry) =>
        Member(entry, "Record") is { } record ? (byte[]?)Member(record, "SystemUseData") : null;

    /// <summary>
    /// The mode and owner of an entry; null where there are none. Each reader keeps its inodes elsewhere, under names of
    /// its own. (<see cref="IUnixFileSystem"/> follows links, and for Btrfs invents what it says.)
    /// </summary>
    public GuestUnixMode? ModeOf(VfsDirEntry entry)
    {
        if (Member(entry, "CatalogFileInfo") is { } catalog && Member(catalog, "FileSystemInfo") is UnixFileSystemInfo info)
        {
            return new GuestUnixMode((UnixFileMode)info.Permissions, info.UserId, info.GroupId, info.LinkCount);
        }

        object? inode = Member(entry, "Inode") ?? Member(entry, "_inode") ?? Member(FileOf(entry), "Inode");
        return inode is null || Member(inode, "Mode") is null ? null : new GuestUnixMode(
            (UnixFileMode)(Number(inode, "Mode") & PermissionBits),
            Number(inode, "UserId", "Uid", "UserIdLow") | (Number(inode, "UserIdHigh") << 16),
            Number(inode, "GroupId", "Gid", "GroupIdLow") | (Number(inode, "GroupIdHigh") << 16),
            Number(inode, "Nlink", "LinkCount", "LinksCount"));
    }

    /// <summary>The value of the first of these members that there is; 0 if there is none.</summary>
    private static int Number(object target, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (Member(target, name) is IConvertible value)
            {
                return unchecked((int)value.ToInt64(CultureInfo.InvariantCulture));
            }
        }

        return 0;
    }

    private static object? Member(object target, string name) =>
        target.GetType().GetProperty(name, Members) is { } property
            ? Get(property, target)
            : target.GetType().GetField(name, Members)?.GetValue(target);

    private static PropertyInfo Property(Type type, string name) => type.GetProperty(name, Members) ?? throw Missing(type, name);

    private static object Get(PropertyInfo property, object target) =>
        property.GetValue(target, BindingFlags.DoNotWrapExceptions, binder: null, index: null, culture: null)!;

    private static MissingMemberException Missing(Type type, string name) =>
        new($"DiscUtils' {type.Name} has no {name}: another version than this program was made for");
}
