using System.IO.Compression;
using Shared;

namespace Qcow2Stream.Fuzz.Tool;

/// <summary>The tests' guest disks, damaged: what isn't zero, in the first blocks above all, is mostly what readers believe.</summary>
internal sealed class GuestMutations
{
    // Larger ones take longer to write than to read.
    private const long LargestDisk = 400 << 20;

    private const int FirstPlaces = 20_000;
    private const int MostChanges = 12;

    private readonly List<(string Name, byte[] Disk, int[] Used)> _disks = [];

    public GuestMutations()
    {
        string folder = Path.Combine(Repository.Root, "tests", "Qcow2Stream.FileSystems.Tests", "Images");
        foreach (string path in Directory.GetFiles(folder, "*.qcow2*").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(path).Split('.')[0];
            using Qcow2ChainStream stream = new(Unpacked(path));
            if (stream.Length <= LargestDisk)
            {
                byte[] disk = new byte[stream.Length];
                stream.ReadExactly(disk);
                _disks.Add((name, disk, [.. Enumerable.Range(0, disk.Length).Where(i => disk[i] != 0)]));
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

    /// <summary>Writes a damaged disk.</summary>
    /// <param name="seed">Says which, and where.</param>
    /// <param name="path">Where it is written to, raw.</param>
    /// <returns>The name of the disk.</returns>
    public string Write(int seed, string path)
    {
        Random random = new(seed);
        (string name, byte[] disk, int[] used) = _disks[random.Next(_disks.Count)];
        Dictionary<int, byte> changes = [];
        for (int i = random.Next(1, MostChanges); i > 0; i--)
        {
            int place = used[random.Next(random.Next(3) == 0 ? used.Length : Math.Min(used.Length, FirstPlaces))];
            changes[place] = disk[place];
            disk[place] = random.Next(4) switch
            {
                0 => 0xFF,
                1 => 0,
                2 => (byte)(disk[place] ^ (1 << random.Next(8))),
                _ => (byte)random.Next(256),
            };
        }

        using (FileStream file = File.Create(path))
        {
            SparseWriter writer = new(file);
            writer.Write(disk);
            writer.Finish();
        }

        foreach ((int place, byte value) in changes)
        {
            disk[place] = value;
        }

        return name;
    }
}
