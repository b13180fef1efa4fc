using Shared;

namespace Qcow2Stream.FileSystems.Copying;

/// <summary>
/// A directory by its path, where there are no calls that take a handle (Windows). Links and junctions are refused, but another user of the host who can
/// write here could put one in a directory's place between the look and the use.
/// </summary>
internal sealed class PathDirectory : HostDirectory
{
    public PathDirectory(string path)
    {
        Path = path;
        if (!Directory.Exists(path))
        {
            throw new DirectoryNotFoundException($"'{PrintableText.Escape(path)}' is not a directory");
        }
    }

    public override string Path { get; }

    public override PathDirectory Make(HostEntryName name)
    {
        string path = PathOf(name);
        ThrowIfExists(path);
        Directory.CreateDirectory(path);
        return Enter(name);
    }

    public override PathDirectory Enter(HostEntryName name) => HasDirectory(name)
        ? new PathDirectory(PathOf(name))
        : throw new IOException($"'{PrintableText.Escape(PathOf(name))}' is not a directory, or a link, which is not followed");

    public override bool HasDirectory(HostEntryName name) =>
        new DirectoryInfo(PathOf(name)) is { Exists: true, LinkTarget: null } directory && !directory.Attributes.HasFlag(FileAttributes.ReparsePoint);

    public override FileStream CreateFile(HostEntryName name)
    {
        ThrowIfExists(PathOf(name));
        return new FileStream(PathOf(name), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 });
    }

    public override void CreateLink(HostEntryName name, HostEntryName target)
    {
        ThrowIfExists(PathOf(name));
        File.CreateSymbolicLink(PathOf(name), target.Text);
    }

    public override void DeleteFile(HostEntryName name) => File.Delete(PathOf(name));

    public override void Finish(UnixFileMode? permissions, DateTime? modifiedUtc)
    {
        if (modifiedUtc is { } time)
        {
            Directory.SetLastWriteTimeUtc(Path, time);
        }
    }

    public override void Dispose()
    {
    }

    private static void ThrowIfExists(string path)
    {
        if (new FileInfo(path) is { Exists: true } or { LinkTarget: not null } || Directory.Exists(path))
        {
            throw new IOException($"'{PrintableText.Escape(path)}' already exists");
        }
    }
}
