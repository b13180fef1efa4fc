using Shared;

namespace Qcow2Stream.FileSystems;

/// <summary>No file system that can be read has a path.</summary>
public sealed class GuestPathNotFoundException : GuestException
{
    internal GuestPathNotFoundException(string path, IReadOnlyList<SearchedVolume> volumes, IReadOnlyList<GuestVolume> unsearched)
        : base($"'{PrintableText.Escape(path)}' does not exist on {string.Join(" or ", volumes)}"
            + (unsearched.Count > 0 ? $" (not searched: {string.Join(", ", unsearched.Select(volume => $"{volume}, {volume.Finding}"))})" : ""))
    {
        Unsearched = unsearched;
        Path = path;
        Volumes = volumes;
    }

    /// <summary>The path, as it was asked for.</summary>
    public string Path { get; }

    /// <summary>The volumes that were searched: at least one.</summary>
    public IReadOnlyList<SearchedVolume> Volumes { get; }

    /// <summary>Volumes that may hold files, but can't be read; <see cref="GuestVolume.Content"/> and <see cref="GuestVolume.Fault"/> say why.</summary>
    public IReadOnlyList<GuestVolume> Unsearched { get; }
}
