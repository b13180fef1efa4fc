using System.IO.Compression;
using DiscUtils.Streams;

namespace Qcow2Stream.Fuzz.Tool;

/// <summary>The tests' guest disks, damaged: what isn't zero, at the start of what is stored above all, is mostly what readers believe.</summary>
internal sealed class GuestMutations
{
    private const int MostChanges = 12;
    private const int FirstBytes = 256 << 10;
    private const int Tries = 1000;

    private readonly string[] _images =
    [
        .. Directory.GetFiles(Path.Combine(Repository.Root, "tests", "Qcow2Stream.FileSystems.Tests", "Images"), "*.qcow2*").Order(StringComparer.Ordinal),
    ];

    /// <summary>Writes a damaged disk.</summary>
    /// <param name="seed">Says which, and where.</param>
    /// <param name="path">Where it is written to, raw.</param>
    /// <returns>The name of the disk.</returns>
    public string Write(int seed, string path)
    {
        Random random = new(seed);
        string image = _images[random.Next(_images.Length)];
        using Qcow2Chain chain = Qcow2Chain.Open(Unpacked(image));
        using FileStream disk = new(path, FileMode.CreateNew, FileAccess.ReadWrite);
        chain.CopySparseTo(disk);
        StreamExtent[] stored = [.. chain.OpenStream().Extents];
        for (int i = random.Next(1, MostChanges); i > 0; i--)
        {
            Change(disk, stored, random);
        }

        return Path.GetFileName(image).Split('.')[0];
    }

    private static void Change(FileStream disk, StreamExtent[] stored, Random random)
    {
        Span<byte> value = stackalloc byte[1];
        for (int i = 0; i < Tries; i++)
        {
            StreamExtent extent = stored[random.Next(random.Next(2) == 0 ? stored.Length : Math.Min(stored.Length, 4))];
            long place = extent.Start + random.NextInt64(random.Next(3) == 0 ? extent.Length : Math.Min(extent.Length, FirstBytes));
            disk.Position = place;
            disk.ReadExactly(value);
            if (value[0] != 0)
            {
                disk.Position = place;
                disk.WriteByte(random.Next(4) switch
                {
                    0 => 0xFF,
                    1 => 0,
                    2 => (byte)(value[0] ^ (1 << random.Next(8))),
                    _ => (byte)random.Next(256),
                });
                return;
            }
        }
    }

    private static MemoryStream Unpacked(string path)
    {
        MemoryStream image = new();
        using Stream file = File.OpenRead(path);
        using Stream content = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        content.CopyTo(image);
        return image;
    }
}
