using Shared;

namespace Qcow2Stream.Opening;

/// <summary>A directory whose files may be opened.</summary>
/// <param name="Path">Its full path.</param>
/// <param name="OnlyDirectly">Whether files below its own directories may not.</param>
internal readonly record struct AllowedDirectory(string Path, bool OnlyDirectly)
{
    private static readonly StringComparison PathComparison =
        OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>That of an image. Everything is below the root of the file system, so of that only the files directly in it count.</summary>
    public static AllowedDirectory Of(HostFile image)
    {
        string path = System.IO.Path.GetDirectoryName(image.FullPath)!;
        return new AllowedDirectory(path, OnlyDirectly: System.IO.Path.GetDirectoryName(path) is null);
    }

    /// <summary>Whether a full path is inside, by its text.</summary>
    public bool Contains(string full)
    {
        string prefix = System.IO.Path.EndsInDirectorySeparator(Path) ? Path : Path + System.IO.Path.DirectorySeparatorChar;
        return full.StartsWith(prefix, PathComparison)
            && !(OnlyDirectly && full.AsSpan(prefix.Length).Contains(System.IO.Path.DirectorySeparatorChar));
    }

    /// <summary>For messages.</summary>
    public override string ToString() => OnlyDirectly ? $"'{PrintableText.Escape(Path)}' itself" : $"'{PrintableText.Escape(Path)}'";
}
