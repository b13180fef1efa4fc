using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using DiscUtils;
using DiscUtils.Vfs;

namespace Qcow2Stream.Opening;

/// <summary>
/// Links in the file system behind one of DiscUtils' locators. DiscUtils follows them by itself, wherever they lead, so a name that
/// passes one isn't followed.
/// </summary>
internal static class LocatorLinks
{
    private const string LocatorOfFileSystems = "DiscUtils.DiscFileLocator";

    /// <summary>Refuses a name of which a part is a link.</summary>
    /// <param name="locator">The locator.</param>
    /// <param name="path">What the name means, as the locator takes it, with slashes.</param>
    /// <param name="directoryLength">How much of that is the directory of the image that has the name; however it was reached.</param>
    /// <exception cref="RefusedException">One of them is a link.</exception>
    /// <exception cref="IOException">One of them does not exist.</exception>
    public static void Refuse(FileLocator locator, string path, int directoryLength)
    {
        for (int end = directoryLength; end < path.Length; end++)
        {
            int slash = path.IndexOf('/', end);
            end = slash < 0 ? path.Length : slash;
            if (IsLink(locator, locator.GetFullPath(path[..end])))
            {
                throw new RefusedException("a link leads to it, and in a file system that DiscUtils reads, links are not followed");
            }
        }
    }

    private static bool IsLink(FileLocator locator, string fullPath)
    {
        if (locator.GetType().FullName != LocatorOfFileSystems)
        {
            return new FileInfo(fullPath).LinkTarget is not null;
        }

        DiscFileSystem files = FileSystemOf(locator);
        return files is VfsFileSystemFacade facade
            ? EntryOf(facade, fullPath) is { IsSymlink: true }
            : files.GetAttributes(fullPath).HasFlag(FileAttributes.ReparsePoint);
    }

    /// <summary>The entry of a path in a reader whose public side follows all links, up to the last part; null if there is none.</summary>
    /// <exception cref="RefusedException">The reader does not have the members that tell.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "Where a member was trimmed away, the name is refused.")]
    private static VfsDirEntry? EntryOf(VfsFileSystemFacade facade, string fullPath)
    {
        const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic;
        int nameStart = fullPath.LastIndexOfAny(['/', '\\']) + 1;
        object? reader = typeof(VfsFileSystemFacade).GetField("_wrapped", Hidden)?.GetValue(facade);
        object? directory = Call(reader, reader?.GetType().GetMethod("GetDirectory", Hidden, [typeof(string)]), fullPath[..nameStart]);
        return (VfsDirEntry?)Call(directory, directory?.GetType().GetMethod("GetEntryByName", [typeof(string)]), fullPath[nameStart..]);
    }

    private static object? Call(object? target, MethodInfo? method, string argument) => method is null
        ? throw new RefusedException("it can't be told whether a link leads to it")
        : method.Invoke(target, BindingFlags.DoNotWrapExceptions, binder: null, [argument], culture: null);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_fileSystem")]
    private static extern ref DiscFileSystem FileSystemOf([UnsafeAccessorType("DiscUtils.DiscFileLocator, DiscUtils.Core")] object locator);
}
