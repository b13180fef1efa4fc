namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>What the exceptions of a search carry, for callers who say it in words of their own.</summary>
public sealed class GuestFindTests
{
    [Fact]
    public void AmbiguousPath_ListsItsVolumes()
    {
        using Guest guest = GuestImages.Open("gpt", out _);
        AmbiguousPathException e = Assert.Throws<AmbiguousPathException>(() => guest.Find("/"));
        Assert.Equal("/", e.Path);
        Assert.Equal([(1, "FAT32"), (2, "ext4"), (3, "XFS")], e.Volumes.Select(v => (v.Volume.Number, v.Kind)));
        using GuestMatch match = guest.Find("/", e.Volumes[1].Volume.Number);
        Assert.Equal(("ext4", 2), (match.FileSystem.Kind, match.Volume.Number));
        Assert.Equal(GuestEntryKind.Directory, match.Entry.Kind);
    }

    [Fact]
    public void MissingPath_ListsWhatWasSearched()
    {
        using Guest guest = GuestImages.Open("gpt", out _);
        GuestPathNotFoundException e = Assert.Throws<GuestPathNotFoundException>(() => guest.Find("/no\u001bwhere"));
        Assert.Equal("/no\u001bwhere", e.Path);
        Assert.Equal(["partition 1 (FAT32)", "partition 2 (ext4)", "partition 3 (XFS)"], e.Volumes.Select(v => v.ToString()));
        Assert.DoesNotContain('\u001b', e.Message);
    }

    [Fact]
    public void MissingPartition_ListsThoseThatThereAre()
    {
        using Guest guest = GuestImages.Open("gpt", out _);
        PartitionNotFoundException e = Assert.Throws<PartitionNotFoundException>(() => guest.Find("/", 9));
        Assert.Equal((9, PartitionTableKind.Gpt), (e.Number, e.PartitionTable));
        Assert.Equal([1, 2, 3, 4], e.Volumes.Select(v => v.Number));

        using Guest whole = GuestImages.Open("ext4", out _);
        e = Assert.Throws<PartitionNotFoundException>(() => whole.Find("/", 1));
        Assert.Equal((1, PartitionTableKind.None), (e.Number, e.PartitionTable));
        Assert.Equal(GuestVolume.WholeDisk, Assert.Single(e.Volumes).Number);
    }

    [Fact]
    public void NoFileSystem_ListsWhatThereIs()
    {
        using Guest luks = GuestImages.Open("luks2", out _);
        Assert.Equal("LUKS", Assert.Single(Assert.Throws<NoFileSystemException>(() => luks.Find("/")).Volumes).Content);
        using Guest guest = GuestImages.Open("gpt", out _);
        Assert.Equal(4, Assert.Single(Assert.Throws<NoFileSystemException>(() => guest.Find("/", 4)).Volumes).Number);
        Assert.Equal("swap", Assert.Single(Assert.Throws<NoFileSystemException>(() => guest.Volumes[3].OpenFileSystem()).Volumes).Content);
    }

    /// <summary>Two partitions hold damaged file systems: what is wrong with each is reported, and neither hides the other.</summary>
    [Fact]
    public void DamageOnSeveralVolumes_IsToldOfEach()
    {
        using Qcow2ChainStream disk = new(GuestImages.Disk("mbr"));
        byte[] bytes = new byte[disk.Length];
        disk.ReadExactly(bytes);
        foreach (int start in (int[])[1048576, 32505856])
        {
            // An incompatible feature that does not exist.
            bytes[start + 1024 + 96 + 3] = 0x80;
        }

        using Guest guest = Guest.Open(new MemoryStream(bytes));
        GuestException e = Assert.Throws<GuestException>(() => guest.Find("/nowhere"));
        Assert.Equal(
            "the ext4 file system on partition 1 can't be read: it has features that are not handled (incompatible features 0x80000000); "
            + "the ext4 file system on partition 6 can't be read: it has features that are not handled (incompatible features 0x80000000)", e.Message);
        Assert.Equal(2, Assert.IsType<AggregateException>(e.InnerException).InnerExceptions.Count);
        e = Assert.Throws<GuestException>(() => guest.Find("/etc", 1));
        Assert.StartsWith("the ext4 file system on partition 1 can't be read: ", e.Message, StringComparison.Ordinal);
        using GuestMatch match = guest.Find("/", 2);
    }

    [Fact]
    public void Cancellation_EndsASearch()
    {
        using Guest guest = GuestImages.Open("gpt", out _);
        CancellationToken cancelled = new(canceled: true);
        Assert.ThrowsAny<OperationCanceledException>(() => guest.Find("/", 2, cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => guest.Volumes[1].OpenFileSystem(cancelled));
        using GuestFileSystem files = guest.Volumes[1].OpenFileSystem();
        Assert.ThrowsAny<OperationCanceledException>(() => files.Find("/etc", cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => files.GetUsage(cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => files.Root.FindChild("etc", cancelled));
        Assert.NotNull(files.Find("/etc"));
        Assert.NotNull(files.GetUsage());
    }

    /// <summary>Each read of the reader checks the token, whatever code that is.</summary>
    [Fact]
    public void Cancellation_EndsAReaderThatIsAtWork()
    {
        using CancellationTokenSource source = new();
        using Guest guest = Guest.Open(new EndlessSource(BlockSource.FromChain(Qcow2Chain.Open(GuestImages.Disk("ntfs"))), source));
        Assert.ThrowsAny<OperationCanceledException>(() => guest.Volumes[0].OpenFileSystem(source.Token));
    }

    /// <summary>Cancels after some reads.</summary>
    private sealed class EndlessSource(IBlockSource source, CancellationTokenSource cancellation) : IBlockSource
    {
        private int _reads;

        public long Length => source.Length;

        public int ReadAt(long offset, Span<byte> buffer)
        {
            if (++_reads == 10)
            {
                cancellation.Cancel();
            }

            return source.ReadAt(offset, buffer);
        }
    }
    /// <summary>Images are handed on packed, and opened as if they were the disk in them.</summary>
    [Theory]
    [InlineData("1F8B08", "gzip data")]
    [InlineData("FD377A585A00", "xz data")]
    [InlineData("28B52FFD", "zstd data")]
    [InlineData("425A6839314159265359", "bzip2 data")]
    [InlineData("425A6839", "nothing known")]
    [InlineData("504B0304", "zip archive")]
    [InlineData("4B444D56", "VMDK disk image")]
    [InlineData("7668647866696C65", "VHDX disk image")]
    [InlineData("636F6E6563746978", "VHD disk image")]
    [InlineData("514649FB", "QEMU disk image (to open it: Qcow2Chain.Open)")]
    [InlineData("0102", "nothing known")]
    [InlineData("", "empty")]
    public void DiskThatIsSomethingElse_IsNamed(string start, string found)
    {
        byte[] disk = new byte[1 << 16];
        Convert.FromHexString(start).CopyTo(disk, 0);
        using Guest guest = Guest.Open(new MemoryStream(disk));
        Assert.Equal($"no file system that can be read: found {found} on the disk", Assert.Throws<NoFileSystemException>(() => guest.Find("/")).Message);
    }

}
