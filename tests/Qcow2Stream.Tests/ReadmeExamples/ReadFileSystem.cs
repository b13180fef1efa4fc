using DiscUtils;
using DiscUtils.Ntfs;
using Qcow2Stream;

namespace ReadmeExamples;

/// <summary>Lists the files of every NTFS on a disk, with DiscUtils.</summary>
internal static class ReadFileSystem
{
    public static void Run()
    {
        Qcow2Disk.Register();
        using VirtualDisk disk = VirtualDisk.OpenDisk("disk.qcow2", FileAccess.Read);
        IEnumerable<Stream> volumes = NtfsFileSystem.Detect(disk.Content) ? [disk.Content] : VolumeManager.GetPhysicalVolumes(disk).Select(v => v.Open());
        foreach (Stream volume in volumes.Where(NtfsFileSystem.Detect))
        {
            using NtfsFileSystem files = new(volume);
            foreach (string path in files.GetFiles("", "*", SearchOption.AllDirectories))
            {
                Console.WriteLine($"{files.GetFileLength(path)} {path}");
            }
        }
    }
}
