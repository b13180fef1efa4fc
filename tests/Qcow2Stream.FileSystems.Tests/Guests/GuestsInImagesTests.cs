using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>The same file systems in every kind of image, and walked by several readers at once.</summary>
public sealed class GuestsInImagesTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public static TheoryData<string, string> Forms
    {
        get
        {
            TheoryData<string, string> forms = [];
            foreach (string name in (string[])["ext4", "ntfs", "fat32", "xfs", "btrfs", "hfsplus", "iso", "udf-bridge"])
            {
                forms.Add(name, "-o cluster_size=4k");
                forms.Add(name, "-c -o compression_type=zstd,cluster_size=256k");
                forms.Add(name, "-o extended_l2=on,cluster_size=64k");
            }

            return forms;
        }
    }

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [MemberData(nameof(Forms))]
    public async Task FileSystem_IsTheSameInEveryImage(string name, string form)
    {
        await Qemu.Img(["convert", "-O", "qcow2", .. form.Split(' '), GuestImages.Disk(name), _scratch.File("disk.qcow2")]);
        Assert.Equal(Lines(GuestImages.Disk(name), new Qcow2OpenOptions()), Lines(_scratch.File("disk.qcow2"), new Qcow2OpenOptions()));
    }

    /// <summary>A file system half in the base, half in the overlay; the snapshot keeps the state before.</summary>
    [QemuFact]
    public async Task ChainAndSnapshot_HoldTheirOwnStates()
    {
        await Qemu.Img("convert", "-O", "qcow2", "-c", GuestImages.Disk("ext4"), _scratch.File("base.qcow2"));
        await Qemu.ImgIn(_scratch.Path, "create", "-q", "-f", "qcow2", "-o", "cluster_size=8k", "-F", "qcow2", "-b", "base.qcow2", "top.qcow2");
        List<string> before = Lines(_scratch.File("top.qcow2"), new Qcow2OpenOptions());
        await Qemu.ImgIn(_scratch.Path, "snapshot", "-c", "before", "top.qcow2");

        // The first block of a file, found by what is in it.
        long place = Find("line 000000 of part 2"u8);
        await Qemu.IoIn(_scratch.Path, "top.qcow2", "qcow2", $"write -P 65 {place} 512");

        List<string> after = Lines(_scratch.File("top.qcow2"), new Qcow2OpenOptions());
        Assert.Equal(GuestTree.Expected(GuestImages.Folder("trees/ext4.txt")).Count + 1, before.Count);
        Assert.Equal(["/sizes/large.txt"], after.Except(before).Select(GuestTree.PathOf));
        Assert.Equal(before, Lines(_scratch.File("top.qcow2"), new Qcow2OpenOptions { Snapshot = "before" }));
    }

    [Fact]
    public void FourFileSystemsOfOneDisk_AreWalkedAtOnce()
    {
        using Guest disk = Guest.Open(Qcow2Chain.Open(GuestImages.Disk("mbr")));
        Assert.Equal([1, 2, 5, 6], disk.Volumes.Select(v => v.Number));
        List<string>[] alone = [.. disk.Volumes.Select(Lines)];
        Parallel.For(0, 32, new ParallelOptions { MaxDegreeOfParallelism = 8 }, turn =>
            Assert.Equal(alone[turn % alone.Length], Lines(disk.Volumes[turn % alone.Length])));
    }

    private static List<string> Lines(string path, Qcow2OpenOptions options)
    {
        using Guest disk = Guest.Open(Qcow2Chain.Open(path, options));
        return Lines(disk.Volumes[0]);
    }

    private static List<string> Lines(GuestVolume volume)
    {
        using GuestFileSystem files = volume.OpenFileSystem();
        List<string> lines = GuestTree.Lines(files, hasModes: true, out List<string> faults);
        Assert.True(lines.Count > 0 && faults.All(fault => fault.EndsWith("not handled", StringComparison.Ordinal)), string.Join('\n', faults));
        return lines;
    }

    private long Find(ReadOnlySpan<byte> text)
    {
        using Qcow2ChainStream disk = new(_scratch.File("top.qcow2"));
        byte[] content = new byte[disk.Length];
        disk.ReadExactly(content);
        return content.AsSpan().IndexOf(text);
    }
}
