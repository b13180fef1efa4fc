namespace Qcow2Stream.Benchmarks.Images;

/// <summary>
/// The images that are measured, by path. Each is made when it is first asked for, kept in a directory, and used again by
/// the next run; what a broken-off run left unfinished is made anew.
/// </summary>
internal sealed class BenchmarkImages
{
    /// <summary>Counts up whenever the content of an image changes.</summary>
    private const int Generation = 1;

    public const int ChainLayers = 16;

    private const int SharedClusters = 64;

    private readonly string _directory;
    private readonly HashSet<string> _used = [];

    public BenchmarkImages(string workDirectory, ImageSizes sizes)
    {
        Sizes = sizes;
        _directory = Path.Combine(workDirectory, $"{sizes.Name}-{Generation}");
        Directory.CreateDirectory(_directory);
    }

    public ImageSizes Sizes { get; }

    public string RandomRaw() => Ready("random.raw", path =>
    {
        SeededRandom random = new(seed: 1);
        using FileStream file = File.Create(path, bufferSize: 1);
        byte[] block = new byte[1 << 20];
        for (long written = 0; written < Sizes.Random; written += block.Length)
        {
            random.Fill(block);
            file.Write(block);
        }
    });

    public string RandomQcow2() => Converted("random.qcow2", RandomRaw(), "-O", "qcow2");

    public string RandomVhdx() => Converted("random.vhdx", RandomRaw(), "-O", "vhdx");

    public string FilesRaw() => Ready("files.raw", path => new FileLikeContent(seed: 2).WriteTo(path, Sizes.Files));

    public string FilesZlib() => Converted("files-zlib.qcow2", FilesRaw(), "-O", "qcow2", "-c", "-o", "compression_type=zlib");

    public string FilesZstd() => Converted("files-zstd.qcow2", FilesRaw(), "-O", "qcow2", "-c", "-o", "compression_type=zstd");

    public string FilesPartRaw() => Ready("files-part.raw", path => new FileLikeContent(seed: 2).WriteTo(path, Sizes.FilesPart));

    public string FilesPartZlib() => Converted("files-part-zlib.qcow2", FilesPartRaw(), "-O", "qcow2", "-c", "-o", "compression_type=zlib");

    public string Fragmented() => Ready(
        "fragmented.qcow2", path => FragmentedDisk.Write(path, Sizes.Fragmented, Sizes.FragmentedExtents, written: true, seed: 3));

    /// <summary>The same, with holes of the file in place of data.</summary>
    public string FragmentedHoles() => Ready(
        "fragmented-holes.qcow2", path => FragmentedDisk.Write(path, Sizes.Fragmented, Sizes.FragmentedExtents, written: false, seed: 3));

    public string Preallocated() => Ready(
        "preallocated.qcow2", path => QemuImg("create", "-f", "qcow2", "-o", "preallocation=metadata", path, $"{Sizes.Preallocated}"));

    /// <summary>The top of a chain of which only the map is to be taken: the runs lie over one another in the files.</summary>
    public string Layered() => Top(Ready("layered", path =>
        LayeredDisk.Write(path, Sizes.Layered, ChainLayers, Sizes.LayeredExtents, SharedClusters, seed: 4)));

    /// <summary>The top of a chain with a place of its own for every cluster.</summary>
    public string LayeredData() => Top(Ready("layered-data", path =>
        LayeredDisk.Write(path, Sizes.LayeredData, ChainLayers, (int)(Sizes.LayeredData >> 18), sharedClusters: null, seed: 5)));

    /// <summary>The guest's disk of <see cref="LayeredData"/> as QEMU reads it.</summary>
    public string LayeredDataRaw() => Ready(
        "layered-data.raw", path => QemuImg("convert", "-f", "qcow2", "-O", "raw", LayeredData(), path));

    /// <summary>The same disk in one image.</summary>
    public string LayeredDataFlat() => Converted("layered-data-flat.qcow2", LayeredDataRaw(), "-O", "qcow2");

    public string Largest() => Ready("largest.qcow2", path => QemuImg("create", "-f", "qcow2", path, $"{Sizes.Largest}"));

    public string Small() => Ready("small.qcow2", path => new Qcow2Builder
    {
        Size = 64L << 20,
        Clusters = [GuestClusters.Data(0, fill: 1, count: 3), GuestClusters.Zero(5), GuestClusters.Compressed(100, fill: 2)],
    }.Build().WriteTo(path));

    private static string Top(string directory) => Path.Combine(directory, LayeredDisk.NameOf(ChainLayers - 1));

    private string Converted(string name, string raw, params string[] arguments) => Ready(name, path =>
    {
        QemuImg(["convert", "-f", "raw", .. arguments, raw, path]);
        PageCache.Drop(raw);
    });

    private static void QemuImg(params string[] arguments) => Qemu.Img(arguments).GetAwaiter().GetResult();

    /// <param name="name">Of a file, or of a directory if it has no extension.</param>
    /// <param name="make">Makes it at the path that it is given.</param>
    private string Ready(string name, Action<string> make)
    {
        string path = Path.Combine(_directory, name);
        if (!Path.Exists(path))
        {
            Make(path, name, make);
        }

        // Whatever a run reads, it finds in memory the way that reading brought it there.
        if (_used.Add(name))
        {
            Array.ForEach(Directory.Exists(path) ? Directory.GetFiles(path) : [path], PageCache.Drop);
        }

        return path;
    }

    private void Make(string path, string name, Action<string> make)
    {
        Console.Error.WriteLine($"making {name}");
        string unfinished = Path.Combine(_directory, "unfinished-" + name);
        if (Path.HasExtension(name))
        {
            File.Delete(unfinished);
            make(unfinished);
            File.Move(unfinished, path);
        }
        else
        {
            if (Directory.Exists(unfinished))
            {
                Directory.Delete(unfinished, recursive: true);
            }

            make(Directory.CreateDirectory(unfinished).FullName);
            Directory.Move(unfinished, path);
        }
    }
}
