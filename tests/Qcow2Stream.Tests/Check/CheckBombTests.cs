using System.Text.Json.Nodes;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Check;

/// <summary>Many references to one table: they are counted as QEMU counts them, and the table is looked at twice at most.</summary>
public sealed class CheckBombTests : IDisposable
{
    private const int ClusterSize = 4096;
    private const int Entries = ClusterSize / 8;
    private const int Snapshots = 40;

    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void ManyL1EntriesForOneTable_AreCheckedInTwoWalks()
    {
        byte[] image = Bomb(l1Entries: 1 << 16);
        using TrackedStream file = new(image);
        using ImageCheck check = ImageCheck.Open(file);
        int findings = check.Run().Count();

        // The header, the L1 table in pieces, the refcount tables, and the L2 table twice.
        Assert.InRange(file.Reads.Count, 5, 40);
        Assert.InRange(findings, 1, 4 * Entries);
        Assert.Equal((1 << 16) * (long)(Entries / 2), check.Summary.AllocatedClusters);
    }

    [Fact]
    public void ManySnapshotsOfOneTable_AreCheckedInTwoWalks()
    {
        byte[] image = WithSnapshots(Bomb(l1Entries: Entries));
        using TrackedStream file = new(image);
        using ImageCheck check = ImageCheck.Open(file);
        int findings = check.Run().Count();
        Assert.InRange(findings, 1, 6 * Entries);

        // Each snapshot's own entry in three reads, and its L1 table in one.
        Assert.InRange(file.Reads.Count, Snapshots, (5 * Snapshots) + 40);
    }

    /// <summary>Their own L1 tables are walked too, one by one; but not for days, where thousands of them are the same bytes.</summary>
    [Fact]
    public void ManySnapshotsOfOneLargeTable_AreGivenUp()
    {
        const int Many = 60_000;
        byte[] image = WithSnapshots(Bomb(l1Entries: 1 << 16), Many);
        using TrackedStream file = new(image);
        using ImageCheck check = ImageCheck.Open(file);
        CheckFinding gaveUp = Assert.Single(check.Run(), f => f.Severity == CheckSeverity.Error);
        Assert.Contains("share more of their bytes than a check follows", gaveUp.Message, StringComparison.Ordinal);
        Assert.Equal(CheckFindingKind.SnapshotTable, gaveUp.Kind);
        Assert.Equal(0, check.Summary.Leaks);

        // Each snapshot's own entry twice.
        Assert.InRange(file.Reads.Sum(r => (long)r.Length), 0, 20L * image.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public void FindingsBeyondTheMost_AreCountedAndNotListed(int most)
    {
        byte[] image = Bomb(l1Entries: 100);
        using ImageCheck all = ImageCheck.Open(new MemoryStream(image));
        CheckFinding[] findings = [.. all.Run()];
        using ImageCheck few = ImageCheck.Open(new MemoryStream(image), new Qcow2OpenOptions { MaxCheckFindings = most });
        CheckFinding[] listed = [.. few.Run()];
        Assert.Equal(findings[..(most - 1)], listed[..(most - 1)]);
        Assert.Equal(findings[most - 1].Message + "; what else there is, is counted and not listed (MaxCheckFindings)", listed[^1].Message);
        Assert.Equal((most, all.Summary), (listed.Length, few.Summary));
    }

    [QemuTheory]
    [InlineData(100, false)]
    [InlineData(100, true)]
    [InlineData(2, true)]
    [InlineData(1, true)]
    public async Task RepeatedReferences_AreCountedAsByQemu(int l1Entries, bool withSnapshots)
    {
        byte[] image = Bomb(l1Entries);
        string path = _scratch.Write("bomb.qcow2", withSnapshots ? WithSnapshots(image) : image);
        JsonNode qemu = JsonNode.Parse((await Qemu.ImgRaw("check", "--output=json", path)).Output)!;
        using ImageCheck check = ImageCheck.Open(path);
        long unseen = check.Run().LongCount(f => f.Kind == CheckFindingKind.Overlap && f.Refcount >= f.References);
        CheckSummary ours = check.Summary;
        long Of(string name) => qemu[name]?.GetValue<long>() ?? 0;
        Assert.Equal(
            (Of("corruptions"), Of("leaks"), Of("allocated-clusters"), Of("fragmented-clusters"), Of("compressed-clusters")),
            (ours.Corruptions - unseen, ours.Leaks, ours.AllocatedClusters, ours.FragmentedClusters, ours.CompressedClusters));
    }

    /// <summary>An L1 table whose entries all are one table, of which every second entry is a cluster, compressed, misaligned or reserved.</summary>
    private static byte[] Bomb(int l1Entries)
    {
        byte[] image = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = (long)l1Entries * Entries * ClusterSize,
            Clusters = [GuestClusters.Data(0, 1, 3), GuestClusters.Compressed(4, 2)],
        }.Build().ToBytes();
        long l1 = (long)image.ReadU64(HeaderField.L1TableOffset);
        ulong l2 = image.ReadU64(l1);
        for (int i = 0; i < l1Entries; i++)
        {
            image.WriteU64(l1 + (i * 8), l2);
        }

        long table = (long)(l2 & 0x00FF_FFFF_FFFF_FE00);
        ulong data = image.ReadU64(table);
        ulong compressed = image.ReadU64(table + 32);
        for (int i = 0; i < Entries; i++)
        {
            image.WriteU64(table + (i * 8), i % 2 == 0 ? 0 : (i % 16) switch { 1 => compressed, 3 => data + 512, 5 => data | 2, 7 => data & long.MaxValue, _ => data });
        }

        return image;
    }

    /// <summary>The same L1 table for all of them; each the length of one cluster.</summary>
    private static byte[] WithSnapshots(byte[] image, int snapshots = Snapshots)
    {
        long table = (image.Length + ClusterSize - 1) & -ClusterSize;
        byte[] whole = [.. image, .. new byte[table - image.Length + (snapshots * 72)]];
        for (int i = 0; i < snapshots; i++)
        {
            long entry = table + (i * 72);
            whole.WriteU64(entry, image.ReadU64(HeaderField.L1TableOffset))
                .WriteU32(entry + 8, image.ReadU32(HeaderField.L1Size))
                .WriteU16(entry + 12, 2)
                .WriteU16(entry + 14, 2)
                .WriteU32(entry + 36, 24)
                .WriteU64(entry + 48, image.ReadU64(HeaderField.Size))
                .WriteBytes(entry + 64, "idna"u8)
                .WriteU8(entry + 64, (byte)('0' + (i / 10 % 10)))
                .WriteU8(entry + 65, (byte)('0' + (i % 10)));
        }

        return whole.WriteU64(HeaderField.SnapshotsOffset, (ulong)table).WriteU32(HeaderField.NbSnapshots, (uint)snapshots);
    }
}
