using Shared;

namespace Qcow2Stream.FileSystems;

/// <summary>No file system that can be read has a path.</summary>
public sealed class GuestPathNotFoundException : GuestException
{
    internal GuestPathNotFoundException(string path, IReadOnlyList<SearchedVolume> volumes)
        : base($"'{PrintableText.Escape(path)}' does not exist on {string.Join(" or ", volumes)}")
    {
        Path = path;
        Volumes = volumes;
    }

    /// <summary>The path, as it was asked for.</summary>
    public string Path { get; }

    /// <summary>The volumes that were searched: at least one.</summary>
    public IReadOnlyList<SearchedVolume> Volumes { get; }
}
