using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.History;

/// <summary>Internal snapshots: the list, each one's own disk, and the VM state after it.</summary>
public sealed class SnapshotTests
{
    private static readonly string Image = Repository.Image("snapshots.qcow2");

    [Fact]
    public void List_TellsEachSnapshot()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        DateTimeOffset newYear = new(2024, 1, 1, 0, 0, 0, 500, TimeSpan.Zero);
        Assert.Equal(
            [("1", "first", newYear, 0L, 40_960L), ("2", "second", newYear.AddDays(1), 10_240L, 65_536L), ("3", "third one", newYear.AddDays(2), 0L, 65_536L)],
            chain.GetSnapshots().Select(s => (s.Id, s.Name, s.Date, s.VmStateSize, s.DiskSize)));
    }

    [Fact]
    public async Task ListAsync_IsTheSameList()
    {
        using Qcow2Chain chain = await Qcow2Chain.OpenAsync(Image);
        Assert.Equal(chain.GetSnapshots(), await chain.GetSnapshotsAsync());
    }

    [Fact]
    public void ImageWithoutSnapshots_HasAnEmptyList()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("zero.qcow2"));
        Assert.Empty(chain.GetSnapshots());
        using Qcow2Chain raw = Qcow2Chain.Open(Repository.Image("chain-0.raw"));
        Assert.Empty(raw.GetSnapshots());
    }

    [Theory]
    [InlineData("first")]
    [InlineData("second")]
    [InlineData("third one")]
    [InlineData("2")]
    public Task Map_IsThatOfTheSnapshotsDisk(string snapshot)
    {
        using Qcow2Chain chain = Open(snapshot);
        MemoryStream map = new();
        chain.Map().WriteText(map);
        return Verifier.Verify(Encoding.UTF8.GetString(map.ToArray())).UseParameters(snapshot);
    }

    /// <summary>A snapshot has its own size: 40 KiB for the first, not the active disk's 96.</summary>
    [Theory]
    [InlineData("first")]
    [InlineData("second")]
    [InlineData("third one")]
    public Task Bytes_AreThoseOfTheSnapshotsDisk(string snapshot)
    {
        using Qcow2Chain chain = Open(snapshot);
        using Qcow2ChainStream disk = chain.OpenStream();
        return Verifier.Verify(HexDump.Of(disk, 0, (int)disk.Length)).UseParameters(snapshot);
    }

    [QemuTheory]
    [InlineData("first")]
    [InlineData("second")]
    [InlineData("third one")]
    public async Task Bytes_AreThoseOfQemu(string snapshot)
    {
        using TempDirectory scratch = new();
        string raw = scratch.File("snapshot.raw");
        await Qemu.Img("convert", "-l", $"snapshot.name={snapshot}", "-O", "raw", Image, raw);
        byte[] expected = await File.ReadAllBytesAsync(raw);
        using Qcow2Chain chain = Open(snapshot);
        byte[] actual = new byte[chain.Length];
        Assert.Equal(actual.Length, chain.ReadAt(0, actual));

        // qemu-img writes the active disk's size, whatever the snapshot's is, with zeros or VM state after it.
        Assert.Equal(expected[..actual.Length], actual);
    }

    [Fact]
    public void IdGoesBeforeName_AndUnknownOnesAreListed()
    {
        using Qcow2Chain chain = Open("2");
        Assert.Equal(65_536, chain.Length);
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => Open("fourth"));
        Assert.Contains("no snapshot 'fourth'; there are 1 (first), 2 (second), 3 (third one)", error.Message, StringComparison.Ordinal);
        Assert.Equal(Image, error.ImagePath);
    }

    [Fact]
    public void VmState_ReadsAsItWasSaved()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        using Stream state = chain.OpenVmState(chain.GetSnapshots()[1]);
        Assert.Equal(10_240, state.Length);
        byte[] bytes = new byte[state.Length];
        state.ReadExactly(bytes);
        Assert.All(bytes, b => Assert.Equal(0xC8, b));
        Assert.Equal(0, state.Read(bytes));

        // The stream's end leaves the chain open.
        state.Dispose();
        Assert.Equal(16, chain.ReadAt(0, new byte[16]));
    }

    [Fact]
    public void SnapshotWithoutVmState_HasAnEmptyStream()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        using Stream state = chain.OpenVmState(chain.GetSnapshots()[0]);
        Assert.Equal(0, state.Length);
        Assert.Equal(-1, state.ReadByte());
    }

    /// <summary>One field of the snapshot table broken: what needs it fails, the disk does not.</summary>
    [Theory]
    [InlineData(3, 0xFF, "nb_snapshots is")] // nb_snapshots' low byte: runs into what follows the table
    [InlineData(4 + 7, 1, "not cluster-aligned")] // snapshots_offset
    public void BrokenTable_FailsTheListAndNotTheDisk(int offsetFromCount, byte value, string expected)
    {
        byte[] image = File.ReadAllBytes(Image);
        image[HeaderField.NbSnapshots + offsetFromCount] = value;
        using Qcow2Chain chain = Qcow2Chain.Open(
            new MemoryStream(image), new Qcow2OpenOptions { MaxSnapshots = 100 });
        Qcow2Exception error = Assert.ThrowsAny<Qcow2Exception>(chain.GetSnapshots);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(98_304, chain.OpenStream().Length);
        Assert.Equal(4096, chain.ReadAt(0, new byte[4096]));
    }

    [Fact]
    public void FileThatEndsInTheTable_SaysSo()
    {
        byte[] image = File.ReadAllBytes(Image);
        long table = image.ReadU64(HeaderField.SnapshotsOffset) is var offset ? (long)offset : 0;
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image[..(int)(table + 50)]), new Qcow2OpenOptions { Lenient = true });
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(chain.GetSnapshots);
        Assert.Contains("the file ends inside the snapshot table", error.Message, StringComparison.Ordinal);
        Assert.Equal(table + 50, error.HostOffset);
    }

    /// <summary>QEMU does not write the padding after the last entry, so the file may end there.</summary>
    [Fact]
    public void FileThatEndsBehindTheLastName_HasAllSnapshots()
    {
        byte[] image = File.ReadAllBytes(Image);
        int table = (int)image.ReadU64(HeaderField.SnapshotsOffset);
        int end = image.AsSpan(table).IndexOf("third one"u8) + "third one".Length;
        Assert.NotEqual(0, end % 8);
        byte[] moved = [.. image, .. image.AsSpan(table, end)];
        moved.WriteU64(HeaderField.SnapshotsOffset, (ulong)image.Length);
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(moved));
        Assert.Equal(["first", "second", "third one"], chain.GetSnapshots().Select(s => s.Name));
    }

    /// <summary>A disk near 2^63 with a VM state after it: sums must not wrap, and the table's size has its limit.</summary>
    [Theory]
    [InlineData(32 << 20, typeof(Qcow2UnsupportedException), "MaxL1TableBytes")]
    [InlineData(int.MaxValue, typeof(Qcow2FormatException), "ends past 2^63")]
    public void SnapshotOfHugeSizes_IsRefused(int maxL1TableBytes, Type expected, string message)
    {
        byte[] image = new Qcow2Builder { ClusterBits = 21, Size = 1 << 21 }.Build().ToBytes();
        int table = image.Length;
        byte[] entry = new byte[64 + 8];
        entry.WriteU32(8, 1 << 26).WriteU16(12, 1).WriteU16(14, 1).WriteU32(36, 24)
            .WriteU64(40, long.MaxValue).WriteU64(48, long.MaxValue).WriteU8(64, (byte)'1').WriteU8(65, (byte)'s');
        image = [.. image, .. entry];
        image.WriteU32(HeaderField.NbSnapshots, 1).WriteU64(HeaderField.SnapshotsOffset, (ulong)table);
        using Qcow2Chain chain = Qcow2Chain.Open(
            new MemoryStream(image), new Qcow2OpenOptions { Lenient = true, MaxL1TableBytes = maxL1TableBytes });
        Exception? error = Record.Exception(() => chain.OpenVmState(Assert.Single(chain.GetSnapshots())));
        Assert.IsType(expected, error);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x8000_0000_0000_0000UL, "L1 table offset 0x8000000000000000 is not cluster-aligned")]
    [InlineData(513UL, "L1 table offset 0x201 is not cluster-aligned")]
    [InlineData(0x7FFF_FFFF_FFFF_0000UL, "does not lie inside the file")]
    [InlineData(0x7FFF_FFFF_FFE0_0000UL, "does not lie inside the file")]
    public void SnapshotsL1TableOutsideTheFile_IsRefused(ulong offset, string message)
    {
        byte[] image = File.ReadAllBytes(Image);
        int table = (int)image.ReadU64(HeaderField.SnapshotsOffset);

        // As long as it may be, so that its end is past 2^63.
        image.WriteU64(table, offset).WriteU32(table + 8, 4 << 20);
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(
            () => Qcow2Chain.Open(new MemoryStream(image), new Qcow2OpenOptions { Snapshot = "first" }));
        Assert.Contains("snapshot 'first': ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SnapshotsUpToTheOptions_AreListed()
    {
        byte[] image = File.ReadAllBytes(Image);
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image));
        int bytes = chain.GetSnapshots().Sum(s => s.EntryLength);
        Assert.Equal(3, Listed(new() { MaxSnapshots = 3, MaxSnapshotTableBytes = bytes }));
        Assert.Throws<Qcow2UnsupportedException>(() => Listed(new() { MaxSnapshots = 2 }));
        Assert.Throws<Qcow2UnsupportedException>(() => Listed(new() { MaxSnapshotTableBytes = bytes - 1 }));

        int Listed(Qcow2OpenOptions options)
        {
            using Qcow2Chain limited = Qcow2Chain.Open(new MemoryStream(image), options);
            return limited.GetSnapshots().Count;
        }
    }

    [Fact]
    public void SnapshotsL1TableThatEndsTheFile_IsRead()
    {
        byte[] image = File.ReadAllBytes(Image);
        int table = (int)image.ReadU64(HeaderField.SnapshotsOffset);
        int start = (image.Length + (1 << 16) - 1) & -(1 << 16);
        int length = (int)image.ReadU32(table + 8) * 8;
        byte[] moved = [.. image, .. new byte[start - image.Length], .. image.AsSpan((int)image.ReadU64(table), length)];
        moved.WriteU64(table, (ulong)start);
        Qcow2OpenOptions options = new() { Snapshot = "first" };
        using Qcow2Chain expected = Qcow2Chain.Open(new MemoryStream(image), options);
        using Qcow2Chain actual = Qcow2Chain.Open(new MemoryStream(moved), options);
        Assert.Equal(expected.ReadWholeDisk(), actual.ReadWholeDisk());
        Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(new MemoryStream(moved[..^1]), options));
    }

    [Fact]
    public void SnapshotsL1TooSmallForItsDisk_IsRefused()
    {
        byte[] image = File.ReadAllBytes(Image);
        int table = (int)image.ReadU64(HeaderField.SnapshotsOffset);
        image.WriteU32(table + 8, 0);
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(
            () => Qcow2Chain.Open(new MemoryStream(image), new Qcow2OpenOptions { Snapshot = "first" }));
        Assert.Contains("snapshot 'first': its L1 table has 0 entries; 1 are needed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TableOrNumberPastItsLimit_IsRefusedByTheOptionsName()
    {
        using Qcow2Chain table = Qcow2Chain.Open(Image, new Qcow2OpenOptions { MaxSnapshotTableBytes = 100 });
        Assert.Contains("MaxSnapshotTableBytes", Assert.Throws<Qcow2UnsupportedException>(table.GetSnapshots).Message, StringComparison.Ordinal);
        using Qcow2Chain number = Qcow2Chain.Open(Image, new Qcow2OpenOptions { MaxSnapshots = 2 });
        Assert.Contains("MaxSnapshots", Assert.Throws<Qcow2UnsupportedException>(number.GetSnapshots).Message, StringComparison.Ordinal);
        Assert.Equal(512, number.ReadAt(0, new byte[512]));
    }

    /// <summary>The clock, the instruction count and the date of an entry whose fields are all different.</summary>
    [Fact]
    public void EveryField_ComesFromItsPlace()
    {
        byte[] image = File.ReadAllBytes(Image);
        int table = (int)image.ReadU64(HeaderField.SnapshotsOffset);
        image.WriteU32(table + 20, 250_000_000).WriteU64(table + 24, 3_723_000_000_400).WriteU64(table + 56, 77);
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image));
        Qcow2Snapshot first = chain.GetSnapshots()[0];
        Assert.Equal(new DateTimeOffset(2024, 1, 1, 0, 0, 0, 250, TimeSpan.Zero), first.Date);
        Assert.Equal(new TimeSpan(1, 2, 3) + TimeSpan.FromTicks(4), first.VmClock);
        Assert.Equal(77, first.InstructionCount);
    }

    private static Qcow2Chain Open(string snapshot) => Qcow2Chain.Open(Image, new Qcow2OpenOptions { Snapshot = snapshot });
}
