using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.History;

/// <summary>What changed between two disks of one chain, by what is allocated where.</summary>
public sealed class ChangesTests
{
    private static readonly string Snapshots = Repository.Image("snapshots.qcow2");
    private static readonly string Chain = Repository.Image("chain-3.qcow2");

    public static TheoryData<string, DiskPoint, DiskPoint> Pairs => new()
    {
        { Snapshots, DiskPoint.Snapshot("first"), DiskPoint.Active },
        { Snapshots, DiskPoint.Snapshot("first"), DiskPoint.Snapshot("second") },
        { Snapshots, DiskPoint.Snapshot("second"), DiskPoint.Snapshot("third one") },
        { Snapshots, DiskPoint.Snapshot("third one"), DiskPoint.Snapshot("first") },
        { Snapshots, DiskPoint.Active, DiskPoint.Snapshot("2") },
        { Chain, DiskPoint.Layer(1), DiskPoint.Active },
        { Chain, DiskPoint.Layer(2), DiskPoint.Active },
        { Chain, DiskPoint.Layer(3), DiskPoint.Active },
        { Chain, DiskPoint.Layer(3), DiskPoint.Layer(1) },
    };

    /// <summary>
    /// The point of it: the old disk with the changed ranges copied over it is the new disk. And none but those: outside
    /// of them both are equal by what the tables say.
    /// </summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void OldDiskWithTheChanges_IsTheNewDisk(string image, DiskPoint from, DiskPoint to)
    {
        byte[] rebuilt = Read(image, from);
        byte[] wanted = Read(image, to);
        Array.Resize(ref rebuilt, wanted.Length);
        using Qcow2Chain chain = Qcow2Chain.Open(image);
        foreach (MapExtent change in chain.GetChanges(from, to))
        {
            wanted.AsSpan((int)change.Start, (int)change.Length).CopyTo(rebuilt.AsSpan((int)change.Start));
        }

        Assert.Equal(wanted, rebuilt);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void SameDiskTwice_HasNoChanges(string image, DiskPoint from, DiskPoint to)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(image);
        Assert.Empty(chain.GetChanges(from, from));
        Assert.Empty(chain.GetChanges(to, to));
    }

    [Theory]
    [InlineData("active")]
    [InlineData("snapshot:third one")]
    [InlineData("snapshot:depth:1")]
    [InlineData("depth:7")]
    public void Text_NamesOneDisk(string text)
    {
        Assert.True(DiskPoint.TryParse(text, out DiskPoint point));
        Assert.Equal(text, point.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Active")]
    [InlineData("depth")]
    [InlineData("depth:")]
    [InlineData("depth:-1")]
    [InlineData("depth:99999999999")]
    [InlineData("snapshot:")]
    [InlineData("snapshots")]
    public void TextThatNamesNoDisk_IsRefused(string? text)
    {
        Assert.False(DiskPoint.TryParse(text, out DiskPoint point));
        Assert.Equal(DiskPoint.Active, point);
    }

    [Fact]
    public void LayerZero_IsTheActiveDisk()
    {
        Assert.True(DiskPoint.TryParse("depth:0", out DiskPoint point));
        Assert.Equal((DiskPoint.Active, "active"), (point, point.ToString()));
    }

    [Fact]
    public void SecondSnapshotSinceTheFirst_IsWhatWasWrittenBetween()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Snapshots);
        Assert.Equal(
            [(4096L, 8192L, MapKind.Data), (49_152L, 4096L, MapKind.Data)],
            chain.GetChanges(DiskPoint.Snapshot("first"), DiskPoint.Snapshot("second")).Select(e => (e.Start, e.Length, e.Kind)));
    }

    [Fact]
    public void ChainOpenAtASnapshot_StillComparesTheActiveDisk()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Snapshots, new Qcow2OpenOptions { Snapshot = "third one" });
        Assert.Equal(
            [(81_920L, 8192L)],
            chain.GetChanges(DiskPoint.Snapshot("third one"), DiskPoint.Active).Select(e => (e.Start, e.Length)));
    }

    [Fact]
    public void LayerOrSnapshotThatIsNot_IsAnError()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Chain);
        Assert.Contains(
            "there is no layer 4: the chain has 4",
            Assert.Throws<Qcow2Exception>(() => chain.GetChanges(DiskPoint.Layer(4), DiskPoint.Active)).Message,
            StringComparison.Ordinal);
        Assert.Throws<Qcow2Exception>(() => chain.GetChanges(DiskPoint.Snapshot("x"), DiskPoint.Active));
        Assert.Throws<ArgumentOutOfRangeException>(() => DiskPoint.Layer(-1));
    }

    /// <summary>The bytes of a disk, read without the help of the code under test: layers and snapshots as images of their own.</summary>
    private static byte[] Read(string image, DiskPoint point)
    {
        string top = point.Depth == 0 ? image : Repository.Image(point.Depth == 3 ? "chain-0.raw" : $"chain-{3 - point.Depth}.qcow2");
        using Qcow2Chain chain = Qcow2Chain.Open(top, new Qcow2OpenOptions { Snapshot = point.IdOrName });
        byte[] bytes = new byte[chain.Length];
        Assert.Equal(bytes.Length, chain.ReadAt(0, bytes));
        return bytes;
    }
}
