using DiscUtils.Ext;
using DiscUtils.Streams;

namespace Qcow2Stream.Tests.Readme;

/// <summary>The README's code, word for word, so that it compiles and runs. The names of images are replaced when it runs.</summary>
internal static class ReadmeExamples
{
    public static void ReadDisk()
    {
        using Qcow2ChainStream disk = new("disk.qcow2");
        byte[] bootSector = new byte[512];
        disk.ReadExactly(bootSector);

        foreach (StreamExtent stored in disk.Extents)
        {
            Console.WriteLine($"{stored.Length} bytes at {stored.Start}");
        }
    }

    public static void ReadFileSystem()
    {
        using Qcow2ChainStream disk = new("disk.qcow2");
        using ExtFileSystem files = new(disk);
        using Stream hello = files.OpenFile("hello.txt", FileMode.Open, FileAccess.Read);
        Console.WriteLine(new StreamReader(hello).ReadToEnd());
    }

    public static void WalkMap()
    {
        using Qcow2Chain chain = Qcow2Chain.Open("disk.qcow2");
        foreach (MapExtent extent in chain.Map().Where(e => e.Kind == MapKind.Data && e.Depth == 0))
        {
            Console.WriteLine($"{extent.Length} bytes at {extent.Start} are at {extent.HostOffset} in {extent.HostPath}");
        }
    }
}
