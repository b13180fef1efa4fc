using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>
/// Tables that aren't stored: in holes of a file as long as its maker likes. Where the file knows its holes they cost nothing, and where
/// it doesn't, there is a limit.
/// </summary>
public sealed class SparseBombTests
{
    private const int ClusterBits = 16;
    private const long ClusterSize = 1 << ClusterBits;
    private const long Length = 4L << 40;
    private const long Hole = 1L << 32;
    private const long MiB = 1 << 20;

    private static readonly Dictionary<string, Func<bool, SparseFile>> Bombs = new()
    {
        // 120 000 L2 tables: 7.8 GB.
        ["L2 tables"] = knows => File(knows, Table(120_000, i => (1UL << 63) | (ulong)(Hole + (i * ClusterSize))), l1Entries: 120_000),

        // A thousand L1 tables of 32 MiB.
        ["snapshots"] = knows => File(knows, Table(1, _ => 0), snapshots: 1000).With(4 * MiB, Snapshots(1000)),

        // 400 tables of 1 GiB.
        ["bitmaps"] = knows => File(knows, Table(1, _ => 0), bitmaps: 400).With(4 * MiB, Bitmaps(400)),

        // 8 MiB of refcount table, and 64 GB of refcount blocks.
        ["refcount blocks"] = knows => File(knows, Table(1, _ => 0), refcountClusters: 128).With(4 * MiB, Table(1 << 20, i => (ulong)(Hole + (i * ClusterSize)))),
    };

    public static TheoryData<string> Names => [.. Bombs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void TablesInHoles_AreNotReadByACheck(string name)
    {
        SparseFile file = Bombs[name](true);
        using ImageCheck check = ImageCheck.Open(file);
        Assert.NotEqual(-1, check.Run().Count());
        Assert.InRange(file.BytesRead, 1, 12 * MiB);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TablesInHolesThatNobodyKnows_AreReadUpToTheLimit(string name)
    {
        SparseFile file = Bombs[name](false);
        using ImageCheck check = ImageCheck.Open(file, new Qcow2OpenOptions { MaxCheckTableBytes = 32 * MiB });
        CheckFinding told = Assert.Single(check.Run(), f => f.Message.Contains("MaxCheckTableBytes", StringComparison.Ordinal));
        Assert.Equal(CheckSeverity.Error, told.Severity);
        Assert.InRange(file.BytesRead, 1, 64 * MiB);
    }

    [Fact]
    public async Task TablesInHoles_AreNotReadByAMap()
    {
        SparseFile file = Bombs["L2 tables"](true);
        using Qcow2Chain chain = Qcow2Chain.Open(file);
        MapExtent only = Assert.Single(chain.Map());
        Assert.Equal((0, chain.Length, true), (only.Start, only.Length, only.IsZero));
        await foreach (MapExtent extent in chain.Map().AsAsyncEnumerable())
        {
            Assert.Equal(only, extent);
        }

        byte[] buffer = new byte[MiB];
        chain.ReadAt(chain.Length / 2, buffer);
        Assert.False(buffer.AsSpan().ContainsAnyExcept((byte)0));
        Assert.InRange(file.BytesRead, 1, 4 * MiB);
    }

    [Fact]
    public void TablesInHoles_AreNotReadByAnInspection()
    {
        SparseFile file = Bombs["L2 tables"](true);
        Assert.Equal("no damage; the data itself was not read", ImageInspection.Inspect(file).Last().Text);
        Assert.InRange(file.BytesRead, 1, 4 * MiB);
    }

    [Fact]
    public void TablesInHolesThatNobodyKnows_AreInspectedUpToTheLimit()
    {
        SparseFile file = Bombs["L2 tables"](false);
        string last = ImageInspection.Inspect(file, new Qcow2OpenOptions { MaxInspectionBytes = 8 * MiB }).Last().Text;
        Assert.Matches("^looked at up to guest offset [0-9]+ of [0-9]+, and no further: that took as much as MaxInspectionBytes allows$", last);
        Assert.InRange(file.BytesRead, 8 * MiB, 12 * MiB);
    }

    /// <summary>Each of the 8192 L1 entries leads to the same table, every second entry of which is a cluster.</summary>
    [Fact]
    public void EndlessMap_IsInspectedUpToTheLimit()
    {
        SparseFile file = File(knowsHoles: true, Table(8192, _ => (1UL << 63) | (4 * (ulong)MiB)), l1Entries: 8192)
            .With(4 * MiB, Table(8192, i => i % 2 == 0 ? 0 : (1UL << 63) | (ulong)Hole));
        Assert.StartsWith(
            "looked at up to guest offset ",
            ImageInspection.Inspect(file, new Qcow2OpenOptions { MaxInspectionBytes = 8 * MiB }).Last().Text,
            StringComparison.Ordinal);
        Assert.InRange(file.BytesRead, 1, 4 * MiB);
    }

    /// <summary>A million entries of the refcount table lead to one block, which says that each of its clusters is used: 34 thousand million leaks.</summary>
    [Fact]
    public void DamageThatIsRepeated_IsListedAndCountedUpToTheLimit()
    {
        SparseFile file = File(knowsHoles: true, Table(1, _ => 0), refcountClusters: 128)
            .With(4 * MiB, Table(1 << 20, _ => 16 * (ulong)MiB))
            .With(16 * MiB, [.. Enumerable.Repeat((byte[])[0, 1], (int)ClusterSize / 2).SelectMany(count => count)]);
        using ImageCheck check = ImageCheck.Open(file, new Qcow2OpenOptions { MaxCheckFindings = 100 });
        CheckFinding[] findings = [.. check.Run()];
        Assert.Equal(101, findings.Length);
        Assert.Contains("MaxCheckFindings", findings[^2].Message, StringComparison.Ordinal);
        Assert.Contains("MaxCheckTableBytes", findings[^1].Message, StringComparison.Ordinal);
        Assert.Equal(1, check.Summary.CheckErrors);
        Assert.InRange(check.Summary.Leaks + check.Summary.Corruptions, 100, 4_000_000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20)]
    public void SpotsOfDamage_AreReportedUpToTheLimit(int most)
    {
        SparseFile file = File(knowsHoles: true, Table(100_000, i => (1UL << 63) | (ulong)(Length + Hole + (i * ClusterSize))), l1Entries: 100_000);
        string[] map = [.. ImageInspection.Inspect(file, new Qcow2OpenOptions { MaxInspectionSpots = most })
            .Where(s => s.Stage == InspectionStage.Map).Select(s => s.Text)];
        Assert.Equal(most + 1, map.Length);
        Assert.Equal("and maybe more", map[^1]);
    }

    /// <summary>A hole is one for as long as the file is: what is cut off is an error, never zeros.</summary>
    [UnixFact]
    public void TableInAHoleThatIsCutOff_IsAnError()
    {
        using TempDirectory scratch = new();
        string path = scratch.File("cut.qcow2");
        byte[] image = File(knowsHoles: true, Table(1, _ => (1UL << 63) | (ulong)Hole)).ToBytes((int)(2 * ClusterSize));
        using (FileStream file = System.IO.File.Create(path))
        {
            file.Write(image);
            file.SetLength(Hole + ClusterSize);
        }

        using (Qcow2Chain whole = Qcow2Chain.Open(path))
        {
            Assert.Equal(512, whole.ReadAt(0, new byte[512]));
        }

        using Qcow2Chain cut = Qcow2Chain.Open(path);
        using (FileStream file = System.IO.File.OpenWrite(path))
        {
            file.SetLength(2 * ClusterSize);
        }

        Assert.Throws<Qcow2FormatException>(() => cut.ReadAt(0, new byte[512]));
    }

    private static SparseFile File(bool knowsHoles, byte[] l1, int l1Entries = 1, int refcountClusters = 0, int bitmaps = 0, int snapshots = 0)
    {
        byte[] header = new byte[ClusterSize]
            .WriteU32(HeaderField.Magic, 0x514649FB)
            .WriteU32(HeaderField.Version, 3)
            .WriteU32(HeaderField.ClusterBits, ClusterBits)
            .WriteU64(HeaderField.Size, (ulong)(l1Entries * ClusterSize * (ClusterSize / 8)))
            .WriteU32(HeaderField.L1Size, (uint)l1Entries)
            .WriteU64(HeaderField.L1TableOffset, (ulong)ClusterSize)
            .WriteU64(HeaderField.RefcountTableOffset, 4 * (ulong)MiB)
            .WriteU32(HeaderField.RefcountTableClusters, (uint)refcountClusters)
            .WriteU32(HeaderField.NbSnapshots, (uint)snapshots)
            .WriteU64(HeaderField.SnapshotsOffset, snapshots > 0 ? 4 * (ulong)MiB : 0)
            .WriteU32(HeaderField.RefcountOrder, 4)
            .WriteU32(HeaderField.HeaderLength, 104);
        if (bitmaps > 0)
        {
            header.WriteU64(HeaderField.AutoclearFeatures, 1)
                .WriteU32(104, 0x23852875)
                .WriteU32(108, 24)
                .WriteU32(112, (uint)bitmaps)
                .WriteU64(120, (ulong)bitmaps * 32)
                .WriteU64(128, 4 * (ulong)MiB);
        }

        return new SparseFile(Length, knowsHoles).With(0, header).With(ClusterSize, l1);
    }

    private static byte[] Table(int entries, Func<long, ulong> entry)
    {
        byte[] table = new byte[(((entries * 8L) + ClusterSize - 1) / ClusterSize) * ClusterSize];
        for (int i = 0; i < entries; i++)
        {
            table.WriteU64(i * 8L, entry(i));
        }

        return table;
    }

    private static byte[] Snapshots(int count)
    {
        const int EntryLength = 64;
        byte[] table = new byte[count * EntryLength];
        for (int i = 0; i < count; i++)
        {
            long at = (long)i * EntryLength;
            table.WriteU64(at, (ulong)(Hole + (i * 32 * MiB)))
                .WriteU32(at + 8, 4 << 20)
                .WriteU16(at + 12, 4)
                .WriteU16(at + 14, 2)
                .WriteU32(at + 36, 16)
                .WriteU64(at + 48, 1 << 20)
                .WriteBytes(at + 56, System.Text.Encoding.ASCII.GetBytes($"{i:d4}ab"));
        }

        return table;
    }

    private static byte[] Bitmaps(int count)
    {
        byte[] directory = new byte[count * 32];
        for (int i = 0; i < count; i++)
        {
            long at = (long)i * 32;
            directory.WriteU64(at, (ulong)(Hole + (i * 1024 * MiB)))
                .WriteU32(at + 8, 0x8000000)
                .WriteU8(at + 16, 1)
                .WriteU8(at + 17, 16)
                .WriteU16(at + 18, 7)
                .WriteBytes(at + 24, System.Text.Encoding.ASCII.GetBytes($"b{i:d6}"));
        }

        return directory;
    }
}
