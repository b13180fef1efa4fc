using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Translation;
using Qcow2Image = Qcow2Stream.Tests.Infrastructure.Qcow2Image;

namespace Qcow2Stream.Tests.Translation;

public class Qcow2TranslatorTests
{
    private const int ClusterBits = 9;
    private const int ClusterSize = 1 << ClusterBits;
    private const int TableEntries = 64;
    private const int TableCoverage = TableEntries * ClusterSize;

    [Fact]
    public void ContiguousClusters_AreOneRunUpToTheTablesEnd()
    {
        const long Host = 1000 * ClusterSize;
        using Qcow2Chain chain = Open(3, GuestClusters.Data(10, 0x11, count: 100, hostOffset: Host));
        HostRun run = Translate(chain, 10 * ClusterSize, chain.Length - (10 * ClusterSize));
        Assert.Equal((RunKind.Data, (TableEntries - 10) * (long)ClusterSize, Host), (run.Kind, run.Length, run.HostOffset));
        Assert.Equal(run.Length, run.HostLength);

        run = Translate(chain, TableCoverage, chain.Length - TableCoverage);
        Assert.Equal((RunKind.Data, (100 - TableEntries + 10) * (long)ClusterSize), (run.Kind, run.Length));
        Assert.Equal(Host + ((TableEntries - 10) * ClusterSize), run.HostOffset);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 511)]
    [InlineData(0, 512)]
    [InlineData(0, 513)]
    [InlineData(100, 412)]
    [InlineData(100, 413)]
    [InlineData(511, 1)]
    [InlineData(511, 2)]
    [InlineData(700, 2000)]
    public void Run_IsNeverLongerThanAsked(int guestOffset, int maxLength)
    {
        using Qcow2Chain data = Open(1, GuestClusters.Data(0, 0x11, count: 20, hostOffset: 100 * ClusterSize));
        HostRun run = Translate(data, guestOffset, maxLength);
        Assert.Equal((RunKind.Data, (long)guestOffset, (long)maxLength), (run.Kind, run.GuestOffset, run.Length));
        Assert.Equal((100 * ClusterSize) + guestOffset, run.HostOffset);
        Assert.Equal(maxLength, run.HostLength);

        using Qcow2Chain zero = Open(1, GuestClusters.Zero(0, count: 20));
        Assert.Equal(maxLength, Translate(zero, guestOffset, maxLength).Length);

        using Qcow2Chain unallocated = Open(1, GuestClusters.RawEntry(0, 0));
        Assert.Equal(maxLength, Translate(unallocated, guestOffset, maxLength).Length);

        using Qcow2Chain noTable = Open(1);
        Assert.Equal(maxLength, Translate(noTable, guestOffset, maxLength).Length);
    }

    [Fact]
    public void ClusterElsewhere_EndsTheRun()
    {
        using Qcow2Chain chain = Open(
            1,
            GuestClusters.Data(0, 0x11, count: 3, hostOffset: 100 * ClusterSize),
            GuestClusters.Data(3, 0x22, count: 3, hostOffset: 200 * ClusterSize),
            GuestClusters.Data(6, 0x33, hostOffset: 202 * ClusterSize),
            GuestClusters.Data(7, 0x33, hostOffset: 201 * ClusterSize));
        Assert.Equal([3, 3, 1, 1, 56], Runs(chain).Select(run => run.Length / ClusterSize));
    }

    [Fact]
    public void EachKind_EndsTheRunOfAnother()
    {
        using Qcow2Chain chain = Open(
            1,
            GuestClusters.Data(0, 0x11, count: 2, hostOffset: 100 * ClusterSize),
            GuestClusters.ZeroAllocated(2, count: 2, hostOffset: 102 * ClusterSize),
            GuestClusters.Zero(4, count: 2),
            GuestClusters.RawEntry(6, 0),
            GuestClusters.RawEntry(7, 0x3F00_0000_0000_01FE),
            GuestClusters.Compressed(8, 0x44, count: 2));
        Assert.Equal(
            [
                (RunKind.Data, 2L, true), (RunKind.Zero, 2L, true), (RunKind.Zero, 2L, false), (RunKind.Unallocated, 2L, false),
                (RunKind.Compressed, 1L, true), (RunKind.Compressed, 1L, true), (RunKind.Unallocated, 54L, false),
            ],
            Runs(chain).Select(run => (run.Kind, run.Length / ClusterSize, run.HasHostOffset)));
    }

    [Fact]
    public void CopiedAndReservedBits_DoNotEndTheRun()
    {
        const ulong Reserved = 0x3F00_0000_0000_01FE;
        const ulong Copied = 1UL << 63;
        Qcow2Image image = Build(1, GuestClusters.Data(0, 0x11, count: 20, hostOffset: 100 * ClusterSize));
        byte[] bytes = image.ToBytes();
        for (int cluster = 0; cluster < 20; cluster += 3)
        {
            bytes.WriteU64(image.L2EntryOffset(cluster), (bytes.ReadU64(image.L2EntryOffset(cluster)) | Reserved) ^ Copied);
        }

        using var chain = Qcow2Chain.Open(new MemoryStream(bytes));
        Assert.Equal(20 * ClusterSize, Translate(chain, 0, chain.Length).Length);
    }

    [Theory]
    [InlineData(0, 512)]
    [InlineData(0, 100)]
    [InlineData(100, 512)]
    [InlineData(511, 1)]
    public void CompressedRun_IsPartOfOneCluster(int offsetInCluster, int maxLength)
    {
        using Qcow2Chain chain = Open(1, GuestClusters.Compressed(0, 0x11, count: 5, skip: 7));
        HostRun first = Translate(chain, 2 * ClusterSize, ClusterSize);
        HostRun run = Translate(chain, (2 * ClusterSize) + offsetInCluster, maxLength);
        Assert.Equal(RunKind.Compressed, run.Kind);
        Assert.Equal(offsetInCluster, run.OffsetInCluster);
        Assert.Equal(Math.Min(maxLength, ClusterSize - offsetInCluster), run.Length);
        Assert.Equal((first.HostOffset, first.HostLength), (run.HostOffset, run.HostLength));
    }

    [Fact]
    public void EmptyL1Entries_ArePassedInOneStep()
    {
        // 10 000 tables of 32 KiB; the 9 000th is there. A piece of the L1 table has 8192 entries.
        using TrackedStream file = new(Build(10_000, GuestClusters.Data(9000 * TableEntries, 0x11)).ToBytes());
        using var chain = Qcow2Chain.Open(file);
        List<HostRun> runs = Runs(chain);
        Assert.Equal(
            [
                (RunKind.Unallocated, 8192L * TableCoverage),
                (RunKind.Unallocated, (9000L - 8192) * TableCoverage),
                (RunKind.Data, ClusterSize),
                (RunKind.Unallocated, TableCoverage - (long)ClusterSize),
                (RunKind.Unallocated, 999L * TableCoverage),
            ],
            runs.Select(run => (run.Kind, run.Length)));

        // The header, two pieces of the L1 table, one L2 table.
        Assert.Equal(4, file.Reads.Count);
        Assert.Equal(3, chain.Map().ToArray().Length);
    }

    [Fact]
    public void EmptyL1EntriesFromTheMiddle_EndAtTheNextTable()
    {
        using Qcow2Chain chain = Open(10, GuestClusters.Data(5 * TableEntries, 0x11));
        HostRun run = Translate(chain, TableCoverage + 100, chain.Length - TableCoverage - 100);
        Assert.Equal((RunKind.Unallocated, (4L * TableCoverage) - 100), (run.Kind, run.Length));
    }

    [Fact]
    public void LookUpsInALoadedTable_ReadNothing()
    {
        using TrackedStream file = new(Build(2, GuestClusters.Data(0, 0x11, count: 128)).ToBytes());
        using var chain = Qcow2Chain.Open(file);
        Runs(chain);
        int reads = file.Reads.Count;
        for (long position = 0; position < chain.Length; position += 100)
        {
            Translate(chain, position, 1);
        }

        Assert.Equal(reads, file.Reads.Count);
    }

    [Fact]
    public void SmallestCache_StillGivesTheRightRuns()
    {
        Qcow2Image image = Build(
            50, [.. Enumerable.Range(0, 50).Select(table => GuestClusters.Data((table * TableEntries) + table, (byte)table))]);
        using var chain = Qcow2Chain.Open(new MemoryStream(image.ToBytes()), new() { LayerCacheBytes = 0, MetadataCacheBytes = 0 });
        Assert.Equal(image.ExpectedContent(), chain.ReadWholeDisk());
        for (int table = 49; table >= 0; table--)
        {
            HostRun run = Translate(chain, ((table * TableEntries) + table) * ClusterSize, 1);
            Assert.Equal((RunKind.Data, image.HostOffsetOf((table * TableEntries) + table)), (run.Kind, run.HostOffset));
        }
    }

    [Fact]
    public void ClustersOfTwoMebibytes_HaveTheirTablesLoadedInPieces()
    {
        const int Bits = 21;
        const long PieceCoverage = 8192L << Bits;
        using TempDirectory directory = new();
        string path = directory.File("image.qcow2");
        new Qcow2Builder
        {
            ClusterBits = Bits,
            Size = 4 * PieceCoverage,
            Clusters = [GuestClusters.Zero(8191, count: 2), GuestClusters.Zero(20_000)],
        }.Build().WriteTo(path);

        using RecordingFile file = new(path);
        using var chain = Qcow2Chain.Open(file);
        Assert.Equal(
            [
                (RunKind.Unallocated, 8191L), (RunKind.Zero, 1L), (RunKind.Zero, 1L), (RunKind.Unallocated, 8191L),
                (RunKind.Unallocated, 3616L), (RunKind.Zero, 1L), (RunKind.Unallocated, 4575L), (RunKind.Unallocated, 8192L),
            ],
            Runs(chain).Select(run => (run.Kind, run.Length >> Bits)));

        Assert.All(file.Reads, read => Assert.InRange(read, 1, 65536));
        Assert.Equal(4, file.Reads.Count(read => read == 65536));
        Assert.Equal([8191L, 2, 11_807, 1, 12_767], chain.Map().Select(extent => extent.Length >> Bits));
    }

    [Fact]
    public async Task AsynchronousTranslation_GivesTheSameRuns()
    {
        byte[] image = Build(
            20,
            GuestClusters.Data(0, 0x11, count: 70),
            GuestClusters.Zero(100),
            GuestClusters.Compressed(200, 0x22, count: 3),
            GuestClusters.Data(1000, 0x33)).ToBytes();
        using var cold = Qcow2Chain.Open(new MemoryStream(image));
        using var other = Qcow2Chain.Open(new MemoryStream(image));
        foreach (HostRun run in Runs(other))
        {
            Assert.Equal(run, await cold.Inner.Translator.TranslateAsync(run.GuestOffset, cold.Length - run.GuestOffset, RunDetail.Metadata, default));
        }
    }

    private static Qcow2Image Build(int tables, params GuestClusters[] clusters) =>
        new Qcow2Builder { ClusterBits = ClusterBits, Size = (long)tables * TableCoverage, Clusters = clusters }.Build();

    private static Qcow2Chain Open(int tables, params GuestClusters[] clusters) =>
        Qcow2Chain.Open(new MemoryStream(Build(tables, clusters).ToBytes()));

    private static HostRun Translate(Qcow2Chain chain, long guestOffset, long maxLength) =>
        chain.Inner.Layers[0].Translator.Translate(guestOffset, maxLength, RunDetail.Metadata);

    private static List<HostRun> Runs(Qcow2Chain chain)
    {
        List<HostRun> runs = [];
        for (long position = 0; position < chain.Length; position = runs[^1].GuestEnd)
        {
            HostRun run = Translate(chain, position, chain.Length - position);
            Assert.Equal(position, run.GuestOffset);
            Assert.InRange(run.Length, 1, chain.Length - position);
            runs.Add(run);
        }

        return runs;
    }
}
