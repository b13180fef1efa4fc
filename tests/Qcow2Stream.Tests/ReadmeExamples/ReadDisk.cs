using DiscUtils.Streams;
using Qcow2Stream;

namespace ReadmeExamples;

/// <summary>Reads a disk, and lists which parts of it are stored.</summary>
internal static class ReadDisk
{
    public static void Run()
    {
        using Qcow2ChainStream disk = new("disk.qcow2");
        byte[] bootSector = new byte[512];
        disk.ReadExactly(bootSector);

        foreach (StreamExtent stored in disk.Extents)
        {
            Console.WriteLine($"{stored.Length} bytes at {stored.Start}");
        }
    }
}
