using Shared;

namespace Qcow2Stream.FileSystems;

/// <summary>A path is on several volumes, and none of them was chosen.</summary>
public sealed class AmbiguousPathException : GuestException
{
    internal AmbiguousPathException(string path, IReadOnlyList<SearchedVolume> volumes)
        : base($"'{PrintableText.Escape(path)}' is on {string.Join(", ", volumes)}; choose one by the argument 'volume'")
    {
        Path = path;
        Volumes = volumes;
    }

    /// <summary>The path, as it was asked for.</summary>
    public string Path { get; }

    /// <summary>The volumes that have it, two or more; for one of them, give it to <see cref="Guest.Find(string, string, CancellationToken)"/>.</summary>
    public IReadOnlyList<SearchedVolume> Volumes { get; }
}
