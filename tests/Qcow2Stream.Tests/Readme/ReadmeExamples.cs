using DiscUtils;
using DiscUtils.Ntfs;
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
        Qcow2.Register();
        using VirtualDisk disk = VirtualDisk.OpenDisk("disk.qcow2", FileAccess.Read);
        foreach (PhysicalVolumeInfo volume in VolumeManager.GetPhysicalVolumes(disk).Where(v => NtfsFileSystem.Detect(v.Open())))
        {
            using NtfsFileSystem files = new(volume.Open());
            foreach (string path in files.GetFiles("", "*", SearchOption.AllDirectories))
            {
                Console.WriteLine($"{files.GetFileLength(path)} {path}");
            }
        }
    }

    public static void ReadAtOnce()
    {
        using Qcow2Chain chain = Qcow2Chain.Open("disk.qcow2");
        Parallel.For(0, 4, _ =>
        {
            using NtfsFileSystem files = new(chain.OpenStream());
            using StreamReader text = new(files.OpenFile(@"etc\os-release", FileMode.Open, FileAccess.Read));
            Console.WriteLine(text.ReadLine());
        });
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
