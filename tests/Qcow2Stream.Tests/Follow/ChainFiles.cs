using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Follow;

/// <summary>Small images that name other files, in a directory of their own.</summary>
internal sealed class ChainFiles : IDisposable
{
    public const int DiskSize = 4096;

    private readonly TempDirectory _parent = new();

    public ChainFiles()
    {
        Directory.CreateDirectory(Inside);
        Directory.CreateDirectory(Outside);
    }

    /// <summary>Where the top image is.</summary>
    public string Inside => Path.Combine(_parent.Path, "inside");

    /// <summary>A directory beside it.</summary>
    public string Outside => Path.Combine(_parent.Path, "outside");

    public string Top => Path.Combine(Inside, "top.qcow2");

    public static byte[] Overlay(string? backingFile, string? format = "raw") => new Qcow2Builder
    {
        ClusterBits = 9,
        Size = DiskSize,
        BackingFile = backingFile,
        BackingFormat = format,
    }.Build().ToBytes();

    public static byte[] RawDisk { get; } = GuestDisk.Filled(DiskSize, 0x5A);

    /// <summary>Writes the top image with a backing file of this name.</summary>
    public string WriteTop(string backingFile, string? format = "raw") => WriteInside("top.qcow2", Overlay(backingFile, format));

    public string WriteInside(string name, byte[] content) => Write(Path.Combine(Inside, name), content);

    public string WriteOutside(string name, byte[] content) => Write(Path.Combine(Outside, name), content);

    public string LinkInside(string name, string target)
    {
        string path = Path.Combine(Inside, name);
        File.CreateSymbolicLink(path, target);
        return path;
    }

    /// <summary>Opens the top image, whose backing file must be <see cref="RawDisk"/>.</summary>
    public void CheckOpens(FollowPolicy? follow = null)
    {
        using var chain = Qcow2Chain.Open(Top, new() { Follow = follow });
        Assert.Equal(2, chain.Layers.Count);
        Assert.Equal(ImageFormat.Raw, chain.Layers[1].Format);
        Assert.Equal(RawDisk, chain.ReadWholeDisk());
    }

    /// <summary>Opens the top image, synchronously and not, which must be refused both times in the same words.</summary>
    public NamedFileException CheckRefused(string reason, FollowPolicy? follow = null)
    {
        Qcow2OpenOptions options = new() { Follow = follow };
        var error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top, options));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(Top, error.ImagePath);
        var asyncError = Assert.IsType<NamedFileException>(Record.Exception(() => Qcow2Chain.OpenAsync(Top, options).GetAwaiter().GetResult()));
        Assert.Equal(error.Message, asyncError.Message);
        return error;
    }

    /// <summary>What is open, by this process, of these files.</summary>
    public IEnumerable<string> OpenFiles() => OpenHandles.Under(_parent.Path);

    public void Dispose() => _parent.Dispose();

    private static string Write(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }
}
