using Qcow2Stream.Benchmarks.Images;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>All rows of commands, with their targets.</summary>
internal static class CommandRows
{
    // What a process of this kind needs whatever the image, and room for the caches, which are bounded.
    private const double ReadingPeak = 64;
    private const double MappingPeak = 32;

    public static IEnumerable<IMeasurement> Create(CommandSetting setting)
    {
        BenchmarkImages images = setting.Images;
        ImageSizes sizes = images.Sizes;
        DiskToRead[] disks =
        [
            new($"{ImageSizes.Text(sizes.Random)} uncompressed", images.RandomQcow2, images.RandomRaw),
            new($"{ImageSizes.Text(sizes.Files)} zlib", images.FilesZlib, images.FilesRaw),
            new($"{ImageSizes.Text(sizes.Files)} zstd", images.FilesZstd, images.FilesRaw),
        ];
        double[] limits = [1.0, 0.35, 0.45];
        foreach ((DiskToRead disk, double limit) in disks.Zip(limits))
        {
            yield return new ReadingRow(disk, setting) { TimeLimit = limit, PeakLimit = ReadingPeak };
        }

        foreach ((DiskToRead disk, double limit) in disks.Zip([1.0, 0.45]))
        {
            yield return new ServingRow(disk, setting) { TimeLimit = limit };
        }

        foreach (DiskToRead disk in disks.Take(2))
        {
            yield return new ConvertingRow(disk, setting);
            yield return new ComparingRow(disk, setting);
        }

        string fragmented = $"map of {ImageSizes.Text(sizes.Fragmented)} in {sizes.FragmentedExtents} extents";
        yield return new MappingRow(fragmented, images.Fragmented, setting)
        {
            Extents = sizes.FragmentedExtents,
            TimeLimit = 0.15,
        };
        yield return new MappingRow($"{fragmented}, never written", images.FragmentedHoles, setting)
        {
            Extents = sizes.FragmentedExtents,
            TimeLimit = 0.15,
        };
        yield return new MappingRow($"map of {ImageSizes.Text(sizes.Preallocated)} preallocated", images.Preallocated, setting)
        {
            TimeLimit = 0.05,
            PeakLimit = MappingPeak,
        };
        yield return new MappingRow(
            $"map of a chain of {BenchmarkImages.ChainLayers} in {sizes.LayeredExtents} extents", images.Layered, setting)
        {
            Extents = sizes.LayeredExtents,
            TimeLimit = 0.2,
        };
        yield return new StartUpRow(setting) { TimeLimit = 1.0, RunsFactor = 10 };
        yield return new CheckRow($"check of {ImageSizes.Text(sizes.Preallocated)} preallocated", setting);
        foreach (DiskToRead disk in disks)
        {
            yield return new LibqcowRow(disk, setting);
        }
    }
}
