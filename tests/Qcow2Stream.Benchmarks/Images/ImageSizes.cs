namespace Qcow2Stream.Benchmarks.Images;

/// <summary>How large the images are, in bytes.</summary>
internal sealed record ImageSizes
{
    public required string Name { get; init; }

    /// <summary>The disk of random bytes.</summary>
    public required long Random { get; init; }

    /// <summary>The disk of <see cref="FileLikeContent"/>.</summary>
    public required long Files { get; init; }

    /// <summary>The first part of it.</summary>
    public required long FilesPart { get; init; }

    /// <summary>The disk of which only the map is taken.</summary>
    public required long Fragmented { get; init; }

    public required int FragmentedExtents { get; init; }

    /// <summary>The disk with its metadata preallocated.</summary>
    public required long Preallocated { get; init; }

    /// <summary>The disk of the chain of which only the map is taken.</summary>
    public required long Layered { get; init; }

    public required int LayeredExtents { get; init; }

    /// <summary>The disk of the chain that is read.</summary>
    public required long LayeredData { get; init; }

    /// <summary>The disk that is opened.</summary>
    public required long Largest { get; init; }

    public static ImageSizes Full { get; } = new()
    {
        Name = "full",
        Random = 1L << 30,
        Files = 1843L << 20,
        FilesPart = 256L << 20,
        Fragmented = 128L << 30,
        FragmentedExtents = 245_701,
        Preallocated = 1L << 40,
        Layered = 8L << 30,
        LayeredExtents = 48_000,
        LayeredData = 512L << 20,
        Largest = 16L << 40,
    };

    /// <summary>A sixteenth of everything: to see that all works, not to measure.</summary>
    public static ImageSizes Quick { get; } = new()
    {
        Name = "quick",
        Random = Full.Random / 16,
        Files = 115L << 20,
        FilesPart = Full.FilesPart / 16,
        Fragmented = Full.Fragmented / 16,
        FragmentedExtents = Full.FragmentedExtents / 16,
        Preallocated = Full.Preallocated / 16,
        Layered = Full.Layered / 16,
        LayeredExtents = Full.LayeredExtents / 16,
        LayeredData = Full.LayeredData / 16,
        Largest = Full.Largest / 16,
    };

    /// <summary>A size in the largest unit that leaves a whole number.</summary>
    public static string Text(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        int unit = 0;
        for (; unit < units.Length - 1 && bytes % 1024 == 0; unit++)
        {
            bytes /= 1024;
        }

        return $"{bytes} {units[unit]}";
    }
}
