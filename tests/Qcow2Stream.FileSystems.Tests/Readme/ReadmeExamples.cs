namespace Qcow2Stream.FileSystems.Tests.Readme;

/// <summary>The README's code, word for word, so that it compiles and runs.</summary>
internal static class ReadmeExamples
{
    public static void ReadFile()
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open("disk.qcow2"));
        using GuestMatch match = guest.Find("/etc/os-release");
        using StreamReader text = new(match.Entry.Open());
        Console.WriteLine($"{match.Volume} ({match.FileSystem.Kind}): {text.ReadLine()}");
    }

    public static void WalkTree()
    {
        using Guest guest = Guest.Open(File.OpenRead("disk.raw"));
        foreach (GuestVolume volume in guest.Volumes.Where(v => v.IsReadable))
        {
            using GuestFileSystem files = volume.OpenFileSystem();
            foreach (GuestTreeEntry below in files.Root.EnumerateTree(fault => Console.Error.WriteLine($"{fault.Path}: {fault.Message}")))
            {
                Console.WriteLine($"{volume.Number} {below.Entry.Kind} {below.Path}");
            }
        }
    }

    public static void CopyDirectory()
    {
        using CancellationTokenSource stop = new(TimeSpan.FromMinutes(10));
        using Guest guest = Guest.Open(Qcow2Chain.Open("disk.qcow2"));
        using GuestMatch match = guest.Find("/etc");
        GuestCopyResult copied = match.Entry.CopyTo(
            "etc",
            new GuestCopyOptions { OnFault = fault => Console.Error.WriteLine($"{fault.Path}: {fault.Message}") },
            new Progress<WorkProgress>(p => Console.Error.Write($"\r{p.Done} of {p.Total} bytes")),
            stop.Token);
        Console.WriteLine($"{copied.Files} files, {copied.Bytes} bytes");
    }
}
