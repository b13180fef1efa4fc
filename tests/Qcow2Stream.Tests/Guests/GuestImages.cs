using Qcow2Stream.Tests.Infrastructure;
using GuestDisk = Qcow2Stream.Cli.Guest.GuestDisk;

namespace Qcow2Stream.Tests.Guests;

/// <summary>The guest disks that make-guests.sh makes, and the lists of what is in them.</summary>
internal static class GuestImages
{
    /// <summary>Lists that no file system of ours shows: of what is not read, and of the side of a disc that is not looked at.</summary>
    public static readonly string[] NotShown = ["squashfs", "iso-joliet"];

    public static string Folder(string name) => Path.Combine(Repository.Root, "tests", "Qcow2Stream.Tests", "Guests", name);

    /// <summary>Opens the disk that a list is of, NAME.txt, or NAME-N.txt for its partition N.</summary>
    public static GuestDisk Open(string list, out int? partition)
    {
        int dash = list.LastIndexOf('-');
        bool isPartition = dash > 0 && int.TryParse(list[(dash + 1)..], out _) && !File.Exists(Folder(list + ".qcow2"));
        partition = isPartition ? int.Parse(list[(dash + 1)..], System.Globalization.CultureInfo.InvariantCulture) : null;
        return GuestDisk.Open(Folder((isPartition ? list[..dash] : list) + ".qcow2"), new Qcow2OpenOptions());
    }

    /// <summary>What the makers of file systems put into them unasked.</summary>
    public static bool IsMadeByTools(string path) => path is "/lost+found";
}
