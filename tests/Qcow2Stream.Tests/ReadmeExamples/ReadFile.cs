using Qcow2Stream;
using Qcow2Stream.FileSystems;

namespace ReadmeExamples;

/// <summary>Copies a file out of the guest.</summary>
internal static class ReadFile
{
    public static void Run()
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open("disk.qcow2"));
        using GuestMatch match = guest.Find("/etc/os-release");
        using Stream source = match.Entry.Open();
        using FileStream copy = File.Create("os-release");
        source.CopyTo(copy);
    }
}
