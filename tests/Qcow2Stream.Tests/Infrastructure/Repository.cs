using System.IO.Compression;

namespace Qcow2Stream.Tests.Infrastructure;

internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The path of an image that make-images.sh made.</summary>
    public static string Image(string name) =>
        Path.Combine(Root, "tests", "Qcow2Stream.Tests", "Images", name);

    /// <summary>Unpacks the image that is kept as <paramref name="name"/>.gz and returns the path of the copy.</summary>
    public static string UnpackImage(string name, TempDirectory directory)
    {
        string path = directory.File(name);
        using var packed = new GZipStream(File.OpenRead(Image(name + ".gz")), CompressionMode.Decompress);
        using FileStream unpacked = File.Create(path);
        packed.CopyTo(unpacked);
        return path;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Qcow2Stream.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException($"Qcow2Stream.sln lies nowhere above {AppContext.BaseDirectory}");
    }
}
