using System.Globalization;
using CliWrap.Buffered;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

/// <summary>Copies that leave out zeros.</summary>
public sealed class SparseCopyToTests : IDisposable
{
    private const int ClusterSize = 4096;

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Copy_IsTheDisk()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(SampleDisk.WriteChain(_directory, out byte[] expected));
        MemoryStream copy = new();
        MemoryStream asyncCopy = new();
        chain.CopySparseTo(copy);
        await chain.CopySparseToAsync(asyncCopy);
        Assert.Equal(expected, copy.ToArray());
        Assert.Equal(expected, asyncCopy.ToArray());
        Assert.Equal(expected.Length, copy.Position);
    }

    /// <summary>What the map knows as zeros is neither read nor written, and stored zeros are not written.</summary>
    [Fact]
    public async Task Zeros_AreLeftOut()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(WithStoredZeros()));
        foreach (bool async in new[] { false, true })
        {
            WrittenRanges target = new();
            if (async)
            {
                await chain.CopySparseToAsync(target);
            }
            else
            {
                chain.CopySparseTo(target);
            }

            Assert.Equal([(ClusterSize, 2L * ClusterSize), (5L * ClusterSize, ClusterSize)], target.Writes);
            Assert.Equal(chain.Length, target.Length);
        }
    }

    [Fact]
    public void DiskOfZeros_HasItsLength()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(new Qcow2Builder { Size = 1 << 20 }.Build().ToBytes()));
        using MemoryStream copy = new();
        chain.CopySparseTo(copy);
        Assert.Equal(new byte[1 << 20], copy.ToArray());
    }

    [Fact]
    public void CopyBehindSomething_LeavesThatAlone()
    {
        using Qcow2Chain chain = SmallDisk(out byte[] expected);
        using MemoryStream target = new();
        target.Write([1, 2, 3]);
        chain.CopySparseTo(target);
        Assert.Equal([1, 2, 3, .. expected], target.ToArray());
    }

    /// <summary>What is left out must read as zeros, which only what is not there yet does.</summary>
    [Fact]
    public async Task TargetThatDoesNotStandAtItsEnd_IsRefused()
    {
        using Qcow2Chain chain = SmallDisk(out _);
        MemoryStream target = new(new byte[10]);
        Assert.Throws<ArgumentException>("destination", () => chain.CopySparseTo(target));
        await Assert.ThrowsAsync<ArgumentException>("destination", () => chain.CopySparseToAsync(target));
        Assert.Throws<ArgumentException>("destination", () => chain.CopySparseTo(new WatchedStream([]) { Seekable = false }));
        Assert.Throws<ArgumentNullException>("destination", () => chain.CopySparseTo(null!));
    }

    [Fact]
    public void Progress_EndsWithWhatIsStored()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(SampleDisk.WriteChain(_directory, out _));
        Reports progress = new();
        chain.CopySparseTo(new MemoryStream(), progress);
        using Qcow2ChainStream stream = chain.OpenStream();
        long stored = stream.Extents.Sum(e => e.Length);
        Assert.Equal(new WorkProgress(stored, stored), progress.Values[^1]);
        Assert.Equal(progress.Values.OrderBy(v => v.Done), progress.Values);
    }

    /// <summary>What lies before it may be there, and nothing after it.</summary>
    [Fact]
    public void ClusterThatCanNotBeRead_EndsTheCopyThere()
    {
        byte[] image = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = 64 * ClusterSize,
            Clusters = [GuestClusters.Data(0, 1), GuestClusters.RawEntry(20, (1UL << 63) | (1 << 30)), GuestClusters.Data(40, 2)],
        }.Build().ToBytes();
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image));
        using MemoryStream target = new();
        Assert.Throws<Qcow2FormatException>(() => chain.CopySparseTo(target));
        Assert.InRange(target.Length, 0, 20 * ClusterSize);
    }

    [Fact]
    public void CancelledCopy_Ends()
    {
        using Qcow2Chain chain = SmallDisk(out _);
        using CancellationTokenSource cancellation = new();
        cancellation.Cancel();
        using MemoryStream target = new();
        Assert.ThrowsAny<OperationCanceledException>(() => chain.CopySparseTo(target, cancellationToken: cancellation.Token));
        Assert.Equal(0, target.Length);
    }

    [Fact]
    public void DisposedChain_Throws()
    {
        Qcow2Chain chain = SmallDisk(out _);
        chain.Dispose();
        Assert.Throws<ObjectDisposedException>(() => chain.CopySparseTo(new MemoryStream()));
    }

    /// <summary>A file of the host takes no more space than what is stored.</summary>
    [LinuxFact]
    public async Task File_HasHoles()
    {
        byte[] image = new Qcow2Builder { Size = 256 << 20, Clusters = [GuestClusters.Data(100, 5), GuestClusters.Data(4000, 6)] }.Build().ToBytes();
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image));
        string path = _directory.File("disk.raw");
        using (FileStream file = File.Create(path))
        {
            chain.CopySparseTo(file);
        }

        Assert.Equal(256 << 20, new FileInfo(path).Length);
        BufferedCommandResult blocks = await CliWrap.Cli.Wrap("stat").WithArguments(["-c", "%b", path]).ExecuteBufferedAsync();
        Assert.InRange(long.Parse(blocks.StandardOutput, CultureInfo.InvariantCulture) * 512, 2 << 16, 1 << 20);
    }

    private static Qcow2Chain SmallDisk(out byte[] expected)
    {
        SampleDisk disk = SampleDisk.Single();
        expected = disk.Expected;
        return Qcow2Chain.Open(disk.OpenImage());
    }

    /// <summary>Eight clusters: data in 1 and 2, a stored cluster of zeros in 3, a flagged one in 4, data in 5.</summary>
    private static byte[] WithStoredZeros() => new Qcow2Builder
    {
        ClusterBits = 12,
        Size = 8 * ClusterSize,
        Clusters =
        [
            GuestClusters.Data(1, 0x11, count: 2), GuestClusters.Data(3, 0), GuestClusters.Zero(4), GuestClusters.Data(5, 0x22),
        ],
    }.Build().ToBytes();

    private sealed class Reports : IProgress<WorkProgress>
    {
        public List<WorkProgress> Values { get; } = [];

        public void Report(WorkProgress value) => Values.Add(value);
    }
}
