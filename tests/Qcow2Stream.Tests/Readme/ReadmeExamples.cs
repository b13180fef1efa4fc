using System.Diagnostics.Metrics;
using DiscUtils;
using DiscUtils.Ntfs;
using DiscUtils.Streams;
using Qcow2Stream.FileSystems;

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

    public static void ReadAtOnce()
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open("disk.qcow2"));
        Parallel.For(0, 4, _ =>
        {
            using GuestMatch match = guest.Find("/etc/os-release");
            using StreamReader text = new(match.Entry.Open());
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
        using Guest guest = Guest.Open(Qcow2Chain.Open("disk.qcow2"));
        using GuestMatch match = guest.Find("/etc/os-release");
        using Stream source = match.Entry.Open();
        using FileStream copy = File.Create("os-release");
        source.CopyTo(copy);
    }

    public static void Listen()
    {
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == Qcow2Diagnostics.MeterName)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, state) => Console.WriteLine($"{instrument.Name}: {value}"));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, state) => Console.WriteLine($"{instrument.Name}: {value} s"));
        listener.Start();
        ReadDisk();
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
