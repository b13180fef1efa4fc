using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

/// <summary>Copies of disks that are longer than what is read ahead at once.</summary>
public sealed class ReadAheadCopyTests
{
    private const int Mebibyte = 1 << 20;

    [Theory]
    [InlineData(0, long.MaxValue)]
    [InlineData(1, 3 * Mebibyte)]
    [InlineData((512 << 10) - 1, 2)]
    [InlineData(777777, 7777777)]
    [InlineData((20 * Mebibyte) - 5, 100)]
    [InlineData(20 * Mebibyte, 100)]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(5, 0)]
    public async Task Range_IsCopiedInOrder(long offset, long length)
    {
        Qcow2Image image = Disk(16);
        using var chain = Qcow2Chain.Open(new MemoryStream(image.ToBytes()));
        byte[] disk = image.ExpectedContent();
        int start = (int)Math.Min(offset, disk.Length);
        byte[] expected = disk[start..(int)Math.Min(disk.Length, start + Math.Min(length, disk.Length))];

        using MemoryStream copy = new();
        chain.CopyTo(offset, length, copy);
        Assert.Equal(expected, copy.ToArray());

        copy.SetLength(0);
        await chain.CopyToAsync(offset, length, copy);
        Assert.Equal(expected, copy.ToArray());
    }

    /// <summary>Clusters longer than a piece would be: each must be decompressed once, not once a piece.</summary>
    [Fact]
    public void LargeCompressedClusters_AreReadOnce()
    {
        Qcow2Image image = Disk(21);
        TrackedStream host = new(image.ToBytes());
        using var chain = Qcow2Chain.Open(host);
        using MemoryStream copy = new();
        int before = host.Reads.Count;
        chain.CopyTo(0, long.MaxValue, copy);
        Assert.Equal(image.ExpectedContent(), copy.ToArray());
        Assert.InRange(host.Reads.Skip(before).Sum(read => (long)read.Length), 1, image.ToBytes().Length);
    }

    /// <summary>What comes before broken data is written, nothing after it, and the cursor shows how far that is.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task BrokenData_EndsTheCopyThere(bool async)
    {
        Qcow2Image image = Disk(16);
        byte[] bytes = image.ToBytes();
        byte[] disk = image.ExpectedContent();
        MapExtent broken;
        using (var chain = Qcow2Chain.Open(new MemoryStream(bytes)))
        {
            broken = chain.Map(9 * Mebibyte, 1).Single();
            Assert.Equal(MapKind.Compressed, broken.Kind);
        }

        bytes.AsSpan((int)broken.HostOffset!.Value, (int)broken.HostLength).Fill(0xFF);
        using Qcow2ChainStream stream = new(new MemoryStream(bytes));
        using MemoryStream copy = new();
        Qcow2FormatException e = async
            ? await Assert.ThrowsAsync<Qcow2FormatException>(() => stream.CopyToAsync(copy))
            : Assert.Throws<Qcow2FormatException>(() => stream.CopyTo(copy));
        Assert.Equal(9 * Mebibyte, e.GuestOffset);
        Assert.Equal(9 * Mebibyte, copy.Length);
        Assert.Equal(copy.Length, stream.Position);
        Assert.Equal(disk[..(9 * Mebibyte)], copy.ToArray());
        Assert.Equal(disk[..10], stream.Chain.ReadRange(0, 10));
    }

    /// <summary>A target that fails, as a full disk does: its error comes out, and the chain can be read on.</summary>
    [Fact]
    public async Task TargetThatFails_EndsTheCopy()
    {
        using var chain = Qcow2Chain.Open(new MemoryStream(Disk(16).ToBytes()));
        Assert.Throws<NotSupportedException>(() => chain.CopyTo(0, long.MaxValue, new MemoryStream(new byte[Mebibyte])));
        await Assert.ThrowsAsync<NotSupportedException>(() => chain.CopyToAsync(0, long.MaxValue, new MemoryStream(new byte[Mebibyte])));
        Assert.Equal(100, chain.ReadAt(0, new byte[100]));
    }

    [Fact]
    public async Task DisposedMeanwhile_EndsInObjectDisposedException()
    {
        var chain = Qcow2Chain.Open(new MemoryStream(Disk(16).ToBytes()));
        Assert.Throws<ObjectDisposedException>(() => chain.CopyTo(0, long.MaxValue, new DisposingStream(chain)));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => chain.CopyToAsync(0, 1, Stream.Null));
    }

    [Fact]
    public void NegativeNumbers_AreRefused()
    {
        using var chain = Qcow2Chain.Open(new MemoryStream(Disk(16).ToBytes()));
        Assert.Throws<ArgumentOutOfRangeException>(() => chain.CopyTo(-1, 1, Stream.Null));
        Assert.Throws<ArgumentOutOfRangeException>(() => chain.CopyTo(0, -1, Stream.Null));
        Assert.Throws<ArgumentNullException>(() => chain.CopyTo(0, 1, null!));
    }

    /// <summary>20 MiB: data, nothing, compressed clusters, data.</summary>
    private static Qcow2Image Disk(int clusterBits)
    {
        int perMebibyte = Math.Max(1, Mebibyte >> clusterBits);
        int clusters = (20 * Mebibyte) >> clusterBits;
        int first = 2 * perMebibyte;
        int compressed = clusterBits > 20 ? 2 : 4 * perMebibyte;
        int quiet = clusterBits > 20 ? 3 : 6 * perMebibyte;
        return new Qcow2Builder
        {
            ClusterBits = clusterBits,
            Size = 20 * Mebibyte,
            Clusters =
            [
                GuestClusters.Data(0, Words(first << clusterBits, 1), count: first),
                GuestClusters.Compressed(quiet, Words((clusters - quiet - compressed) << clusterBits, 2), count: clusters - quiet - compressed),
                GuestClusters.Data(clusters - compressed, Words(compressed << clusterBits, 3), count: compressed),
            ],
        }.Build();
    }

    private static byte[] Words(int length, int seed)
    {
        byte[] bytes = new byte[length];
        Random random = new(seed);
        for (int i = 0; i < length; i++)
        {
            bytes[i] = i % 8 < 5 ? (byte)random.Next(1, 200) : bytes[i - 4];
        }

        return bytes;
    }

    private sealed class DisposingStream(Qcow2Chain chain) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => chain.Dispose();
    }
}
