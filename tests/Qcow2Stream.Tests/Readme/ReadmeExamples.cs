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
        Qcow2Disk.Register();
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

    public static void ReadFile()
    {
        using Qcow2Disk disk = new("disk.qcow2");
        PhysicalVolumeInfo volume = VolumeManager.GetPhysicalVolumes(disk).First(v => NtfsFileSystem.Detect(v.Open()));
        using NtfsFileSystem files = new(volume.Open());
        using Stream source = files.OpenFile("os-release", FileMode.Open, FileAccess.Read);
        using FileStream copy = File.Create("os-release");
        source.CopyTo(copy);
    }

    public static void Convert()
    {
        using Qcow2Chain chain = Qcow2Chain.Open("disk.qcow2");
        using FileStream raw = File.Create("disk.raw");
        chain.CopySparseTo(raw);
    }

    public static void BringUpToDate()
    {
        using Qcow2Chain chain = Qcow2Chain.Open("disk.qcow2");
        using FileStream backup = File.OpenWrite("backup.raw");
        foreach (MapExtent change in chain.GetChanges(DiskPoint.Snapshot("first"), DiskPoint.Active))
        {
            backup.Position = change.Start;
            chain.CopyTo(change.Start, change.Length, backup);
        }

        backup.SetLength(chain.Length);
    }

    public static async Task OpenFromServer(Uri address)
    {
        using Qcow2ChainStream disk = await Qcow2ChainStream.OpenAsync(address);
        byte[] bootSector = new byte[512];
        await disk.ReadExactlyAsync(bootSector);
        Console.WriteLine($"{disk.Length} bytes, boot signature {bootSector[510]:x2}{bootSector[511]:x2}");
    }
}
