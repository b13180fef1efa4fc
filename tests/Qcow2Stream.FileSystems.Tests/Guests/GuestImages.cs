using System.Globalization;
using System.IO.Compression;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>The guest disks that make-guests.sh makes, and the lists of what is in them.</summary>
internal static class GuestImages
{
    /// <summary>Lists that no file system of ours shows: of what is not read, and of the side of a disc that is not looked at.</summary>
    public static readonly string[] NotShown = ["squashfs", "iso-joliet", "ext4-journal-unreplayed"];

    private static readonly Lazy<TempDirectory> Unpacked = new(() => new TempDirectory());

    public static string Folder(string name) => Path.Combine(Repository.Root, "tests", "Qcow2Stream.FileSystems.Tests", "Images", name);

    /// <summary>The path of a disk; those that pack well are kept packed.</summary>
    public static string Disk(string name)
    {
        string path = Folder(name + ".qcow2");
        if (File.Exists(path))
        {
            return path;
        }

        lock (Unpacked)
        {
            string unpacked = Unpacked.Value.File(name + ".qcow2");
            if (!File.Exists(unpacked))
            {
                using GZipStream packed = new(File.OpenRead(path + ".gz"), CompressionMode.Decompress);
                using FileStream target = File.Create(unpacked);
                packed.CopyTo(target);
            }

            return unpacked;
        }
    }

    /// <summary>Opens the disk that a list is of, NAME.txt, or NAME-N.txt for its partition N.</summary>
    public static Guest Open(string list, out int? partition)
    {
        int dash = list.LastIndexOf('-');
        bool isPart = dash > 0 && !Exists(list);
        partition = isPart && int.TryParse(list[(dash + 1)..], CultureInfo.InvariantCulture, out int number) ? number : null;
        return Guest.Open(Qcow2Chain.Open(Disk(isPart ? list[..dash] : list)));
    }

    /// <summary>The volume of a disk that a list is of, which was opened by it: a partition, the only volume, or NAME of a group's for DISK-NAME.</summary>
    public static GuestVolume VolumeOf(Guest disk, string list, int? partition) => disk.Volumes.Single(volume =>
        partition is { } number ? volume.Number == number : disk.Volumes.Count == 1 || volume.Name?.EndsWith("/" + list[(list.LastIndexOf('-') + 1)..], StringComparison.Ordinal) == true);

    /// <summary>Opens a whole disk, with the passphrase of what is encrypted on it.</summary>
    /// <param name="name">The disk.</param>
    /// <param name="options">Null for the defaults.</param>
    public static Guest OpenDisk(string name, GuestOptions? options = null) => Guest.Open(
        Qcow2Chain.Open(Disk(name)),
        (options ?? new GuestOptions()) with { Luks = new LuksOptions { Passphrase = _ => "guest secret"u8.ToArray() } });

    /// <summary>The names of all disks.</summary>
    public static IEnumerable<string> Names() => Directory.GetFiles(Folder(""), "*.qcow2*")
        .Select(path => Path.GetFileName(path).Split('.')[0])
        .Order(StringComparer.Ordinal);

    /// <summary>What the makers of file systems put into them unasked.</summary>
    public static bool IsMadeByTools(string path) => path is "/lost+found";

    private static bool Exists(string name) => File.Exists(Folder(name + ".qcow2")) || File.Exists(Folder(name + ".qcow2.gz"));
}
