using Qcow2Stream.FileSystems.Entries;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>One disk in several forms, and several readers of one guest.</summary>
public sealed class GuestSourcesTests
{
    [Theory]
    [InlineData("gpt")]
    [InlineData("mbr")]
    [InlineData("btrfs")]
    [InlineData("iso")]
    public void PlainStream_GivesWhatTheChainGives(string name)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(GuestImages.Disk(name));
        using TempDirectory scratch = new();
        using (FileStream raw = File.Create(scratch.File("disk.raw")))
        {
            chain.CopySparseTo(raw);
        }

        using Guest ofChain = Guest.Open(chain);
        using Guest ofStream = Guest.Open(File.OpenRead(scratch.File("disk.raw")));
        using Guest ofChainStream = Guest.Open(new Qcow2ChainStream(GuestImages.Disk(name)));
        Assert.Equal(Describe(ofChain), Describe(ofStream));
        Assert.Equal(Describe(ofChain), Describe(ofChainStream));
        Assert.Contains(Describe(ofChain), line => line.Contains("os-release", StringComparison.Ordinal));
    }

    /// <summary>Each thread opens what it reads: of one volume, of several, over a chain and over a stream with one cursor.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SeveralThreads_OpenFileSystemsOfOneGuest(bool isStream)
    {
        using Guest guest = isStream
            ? Guest.Open(new MemoryStream(Whole("mbr")))
            : Guest.Open(Qcow2Chain.Open(GuestImages.Disk("mbr")));
        List<string>[] alone = [.. guest.Volumes.Select(Lines)];
        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 8 }, turn =>
        {
            Assert.Equal(alone[turn % alone.Length], Lines(guest.Volumes[turn % alone.Length]));
            using GuestMatch match = guest.Find("/etc/os-release", partition: 1);
            using StreamReader text = new(match.Entry.Open());
            Assert.Equal("NAME=\"Guest Linux\"", text.ReadLine());
        });
    }

    /// <summary>The reader of ext reads by position all the way, and so does a file's content.</summary>
    [Fact]
    public void SeveralThreads_ReadOneExtFile()
    {
        using Guest guest = GuestImages.Open("ext4", out _);
        using GuestMatch match = guest.Find("/sizes/large.txt");
        byte[] whole = new byte[match.Entry.Length];
        FileContent content = match.Entry.Content();
        content.ReadExactly(0, whole);
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, turn =>
        {
            Random random = new(turn);
            byte[] part = new byte[random.Next(1, 20_000)];
            int at = random.Next(whole.Length);
            int read = content.ReadAt(at, part);
            Assert.Equal(Math.Min(part.Length, whole.Length - at), read);
            Assert.Equal(whole.AsSpan(at, read), part.AsSpan(0, read));
        });
    }

    [Fact]
    public void Volumes_TellTheirPlaces()
    {
        using Guest guest = GuestImages.Open("mbr-cut", out _);
        Assert.Equal(PartitionTableKind.Mbr, guest.PartitionTable);
        GuestVolume cut = guest.Volumes[1];
        Assert.Equal((2, 6291456L, 1048576L, 1048576L, "empty", false), (cut.Number, cut.Start, cut.Length, cut.MissingBytes, cut.Content, cut.IsReadable));
        Assert.Equal(0, cut.Source.Length);
        GuestVolume whole = guest.Volumes[0];
        Assert.Equal((0L, "ext2", true, "partition 1"), (whole.MissingBytes, whole.Content, whole.IsReadable, whole.ToString()));
        Assert.Equal(whole.Length, whole.OpenStream().Length);
    }

    private static List<string> Describe(Guest guest) =>
    [
        guest.PartitionTable.ToString(),
        .. guest.Volumes.Select(v => $"{v} {v.Type} {v.Start} {v.Length} {v.MissingBytes} {v.Content} {v.Source.SectorSize}"),
        .. guest.Volumes.Where(v => v.IsReadable).SelectMany(Lines),
    ];

    private static List<string> Lines(GuestVolume volume)
    {
        using GuestFileSystem files = volume.OpenFileSystem();
        List<string> lines = GuestTree.Lines(files, hasModes: true, out List<string> faults);
        Assert.Empty(faults);
        return [$"{files.Kind} {files.Label} {files.GetUsage()} {files.Notice}", .. lines];
    }

    private static byte[] Whole(string name)
    {
        using Qcow2ChainStream disk = new(GuestImages.Disk(name));
        byte[] bytes = new byte[disk.Length];
        disk.ReadExactly(bytes);
        return bytes;
    }
}
