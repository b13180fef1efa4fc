namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Links lead where they would lead the guest, and never to the host.</summary>
public sealed class GuestPathTests
{
    private const string OsRelease = "NAME=\"Guest Linux\"";

    [Theory]
    [InlineData("/etc/os-release")]
    [InlineData("etc/os-release")]
    [InlineData("//etc/./os-release")]
    [InlineData("/etc/../etc/os-release")]
    [InlineData("/../../etc/os-release")]
    [InlineData("/links/relative")]
    [InlineData("/links/absolute")]
    [InlineData("/links/directory/os-release")]
    [InlineData("/links/through-a-link")]
    [InlineData("/links/link-to-a-link")]
    [InlineData("/links/above-the-root")]
    [InlineData("/links/directory/../links/relative")]
    [InlineData("/links/59")]
    [InlineData("/links/60")]
    [InlineData("/links/157")]
    public void Path_LeadsInsideTheGuest(string path)
    {
        using Guest disk = GuestImages.Open("ext4", out _);
        using GuestMatch match = disk.Find(path);
        using StreamReader text = new(match.Entry.Open());
        Assert.Equal(OsRelease, text.ReadLine());
    }

    [Theory]
    [InlineData("/links/dangling", "'/links/dangling' does not exist on the disk (ext4)")]
    [InlineData("/etc/os-release/x", "'/etc/os-release/x' does not exist on the disk (ext4)")]
    [InlineData("/etc/passwd", "'/etc/passwd' does not exist on the disk (ext4)")]
    [InlineData("/links/a", "the disk (ext4): too many links lead to '/links/a'")]
    public void PathToNowhere_SaysSo(string path, string message)
    {
        using Guest disk = GuestImages.Open("ext4", out _);
        GuestException e = Assert.ThrowsAny<GuestException>(() => disk.Find(path));
        Assert.Equal(message, e.Message);
    }

    [Theory]
    [InlineData("fat32", "/ETC/OS-RELEASE")]
    [InlineData("iso-plain", "/etc/release.txt")]
    public void Case_IsIgnoredWhereTheFileSystemDoes(string image, string path)
    {
        using Guest disk = GuestImages.Open(image, out _);
        using GuestMatch match = disk.Find(path);
        Assert.Equal(GuestEntryKind.File, match.Entry.Kind);
    }

    [Theory]
    [InlineData("gpt", "/", null, "'/' is on partition 1 (FAT32), partition 2 (ext4), partition 3 (XFS); choose one by the argument 'volume'")]
    [InlineData("gpt", "/", 9, "there is no partition 9; the disk has partition 1, partition 2, partition 3, partition 4")]
    [InlineData("gpt", "/", 4, "partition 4 holds no file system that can be read: found swap")]
    [InlineData("gpt", "/nowhere", null, "'/nowhere' does not exist on partition 1 (FAT32) or partition 2 (ext4) or partition 3 (XFS)")]
    [InlineData("squashfs", "/", null, "no file system that can be read: found squashfs on the disk")]
    [InlineData("luks2", "/", null, "no file system that can be read: found LUKS on the disk (no passphrase was given)")]
    [InlineData("exfat", "/", null, "no file system that can be read: found exFAT on the disk")]
    [InlineData("mbr", "/", 5, null)]
    [InlineData("mbr", "/", 6, null)]
    public void Partition_IsChosenOrAskedFor(string image, string path, int? partition, string? message)
    {
        using Guest disk = GuestImages.Open(image, out _);
        Exception? thrown = Record.Exception(() => disk.Find(path, partition).Dispose());
        Assert.Equal(message, thrown?.Message);
    }

    /// <summary>What boots from sticks and from discs has a partition table in front of its one file system.</summary>
    [Fact]
    public void DiscWithAPartitionTable_IsStillReadAsADisc()
    {
        using Qcow2ChainStream source = new(GuestImages.Disk("iso"));
        byte[] disc = new byte[source.Length];
        source.ReadExactly(disc);

        // One partition over everything, as isohybrid writes it.
        new byte[] { 0x80, 0, 1, 0, 0x17, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0 }.CopyTo(disc, 0x1BE);
        BitConverter.GetBytes(disc.Length / 512).CopyTo(disc, 0x1BE + 12);
        (disc[510], disc[511]) = (0x55, 0xAA);
        using Guest disk = Guest.Open(new MemoryStream(disc));
        Assert.Equal(GuestVolume.WholeDisk, disk.Volumes[0].Number);
        Assert.Equal("ISO 9660", disk.Volumes[0].Content);
    }
}
