using Qcow2Stream;
using Qcow2Stream.FileSystems;

namespace ReadmeExamples;

/// <summary>Reads a file of the guest with several threads.</summary>
internal static class ReadAtOnce
{
    public static void Run()
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open("disk.qcow2"));
        Parallel.For(0, 4, _ =>
        {
            using GuestMatch match = guest.Find("/etc/os-release");
            using StreamReader text = new(match.Entry.Open());
            Console.WriteLine(text.ReadLine());
        });
    }
}
