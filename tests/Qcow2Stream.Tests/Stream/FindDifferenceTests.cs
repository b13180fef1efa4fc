using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

/// <summary>Two disks, compared.</summary>
public sealed class FindDifferenceTests
{
    private const int ClusterSize = 4096;
    private const int Size = 1024 * ClusterSize;

    [Fact]
    public void DisksStoredInDifferentWays_AreTheSame()
    {
        using Qcow2Chain plain = Open(GuestClusters.Data(3, 7), GuestClusters.Zero(9));
        using Qcow2Chain compressed = Open(GuestClusters.Compressed(3, 7), GuestClusters.Data(20, 0));
        Assert.Null(plain.FindDifference(compressed));
        Assert.Null(compressed.FindDifference(plain));
        Assert.Null(plain.FindDifference(plain));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(ClusterSize - 1)]
    [InlineData((512 << 10) - 1)]
    [InlineData(512 << 10)]
    [InlineData(Size - 1)]
    public async Task FirstDifference_IsFound(int at)
    {
        byte[] content = GuestDisk.Noise(Size, seed: 5);
        byte[] changed = (byte[])content.Clone();
        changed[at] ^= 1;
        changed[Math.Min(at + 1000, Size - 1)] ^= 2;
        using Qcow2Chain one = Raw(content);
        using Qcow2Chain other = Raw(changed);
        Assert.Equal(at, one.FindDifference(other));
        using Qcow2Chain stored = Open(GuestClusters.Data(0, content, count: Size / ClusterSize));
        Assert.Equal(at, stored.FindDifference(other));
        Assert.Equal(at, await stored.FindDifferenceAsync(other));
    }

    /// <summary>One stores something where the other has nothing.</summary>
    [Fact]
    public void DataAgainstNothing_IsADifferenceWhereItIsNotZero()
    {
        byte[] cluster = new byte[ClusterSize];
        cluster[100] = 1;
        using Qcow2Chain data = Open(GuestClusters.Data(500, cluster));
        using Qcow2Chain nothing = Open();
        Assert.Equal((500 * ClusterSize) + 100, data.FindDifference(nothing));
        Assert.Equal((500 * ClusterSize) + 100, nothing.FindDifference(data));
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(1, (Size / 2) + 17L)]
    public void BehindItsEnd_ADiskIsZeros(byte value, long? expected)
    {
        byte[] content = GuestDisk.Noise(Size, seed: 6);
        content.AsSpan(Size / 2).Clear();
        content[(Size / 2) + 17] = value;
        using Qcow2Chain whole = Raw(content);
        using Qcow2Chain half = Raw(content[..(Size / 2)]);
        Assert.Equal(expected, whole.FindDifference(half));
        Assert.Equal(expected, half.FindDifference(whole));
    }

    /// <summary>What lies in front of the difference decides, however far was read ahead.</summary>
    [Theory]
    [InlineData(100, 300)]
    [InlineData(300, 100)]
    public void Damage_CountsInFrontOfTheDifferenceOnly(int damaged, int different)
    {
        GuestClusters broken = GuestClusters.RawEntry(damaged, (1UL << 63) | (1 << 30));
        using Qcow2Chain one = Open(broken, GuestClusters.Data(different, 1));
        using Qcow2Chain other = Open(GuestClusters.Data(different, 2));
        if (damaged < different)
        {
            Assert.Throws<Qcow2FormatException>(() => one.FindDifference(other));
        }
        else
        {
            Assert.Equal(different * ClusterSize, one.FindDifference(other));
        }
    }

    /// <summary>Both in one piece of what is read ahead: bytes in front of a cluster that can't be decompressed.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(5, 7)]
    [InlineData(7, 5)]
    public async Task DamageInTheSamePiece_CountsInFrontOfTheDifferenceOnly(int different, int damaged)
    {
        GuestClusters broken = GuestClusters.CompressedPayload(damaged, [0xFF, 0xFF, 0xFF, 0xFF]);
        using Qcow2Chain one = Open(broken, GuestClusters.Data(different, 1));
        using Qcow2Chain other = Open(GuestClusters.Data(different, 2));
        if (damaged < different)
        {
            Assert.Throws<Qcow2FormatException>(() => one.FindDifference(other));
            await Assert.ThrowsAsync<Qcow2FormatException>(() => other.FindDifferenceAsync(one));
        }
        else
        {
            Assert.Equal(different * ClusterSize, one.FindDifference(other));
            Assert.Equal(different * ClusterSize, await other.FindDifferenceAsync(one));
        }
    }

    [Fact]
    public void Progress_EndsWithWhatEitherStores()
    {
        using Qcow2Chain one = Open(GuestClusters.Data(1, 1, count: 2));
        using Qcow2Chain other = Open(GuestClusters.Data(1, 1, count: 2), GuestClusters.Data(700, 0, count: 3));
        List<WorkProgress> reports = [];
        Assert.Null(one.FindDifference(other, new Reports(reports)));
        Assert.Equal(new WorkProgress(5 * ClusterSize, 5 * ClusterSize), reports[^1]);
    }

    [Fact]
    public void CancelledOrDisposed_Throws()
    {
        using CancellationTokenSource cancellation = new();
        cancellation.Cancel();
        using Qcow2Chain one = Open(GuestClusters.Data(1, 1));
        Qcow2Chain other = Open(GuestClusters.Data(1, 1));
        Assert.ThrowsAny<OperationCanceledException>(() => one.FindDifference(other, cancellationToken: cancellation.Token));
        other.Dispose();
        Assert.Throws<ObjectDisposedException>(() => one.FindDifference(other));
        Assert.Throws<ArgumentNullException>("other", () => one.FindDifference(null!));
    }

    private static Qcow2Chain Open(params GuestClusters[] clusters) =>
        Qcow2Chain.Open(new MemoryStream(new Qcow2Builder { ClusterBits = 12, Size = Size, Clusters = clusters }.Build().ToBytes()));

    private static Qcow2Chain Raw(byte[] content) =>
        Qcow2Chain.Open(new MemoryStream(content), new Qcow2OpenOptions { Format = ImageFormat.Raw });

    private sealed class Reports(List<WorkProgress> values) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => values.Add(value);
    }
}
