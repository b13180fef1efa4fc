using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>Compressed clusters that look wrong and are not: they must read as QEMU reads them.</summary>
public class OddCompressionTests
{
    private const int ClusterSize = 4096;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(0, 7)]
    [InlineData(1, 7)]
    public void CompressedClusterWhoseSectorsEndBehindTheFile_Reads(int type, int moreSectors)
    {
        byte[] content = new byte[ClusterSize];
        new Random(2).NextBytes(content.AsSpan(0, 700));
        byte[] payload = ClusterCompressor.Compress(content, (CompressionType)type);

        // The last thing in the file, which ends with the payload's last byte.
        const long HostOffset = 64 * ClusterSize;
        byte[] bytes = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = ClusterSize,
            CompressionType = (CompressionType)type,
            Clusters = [GuestClusters.CompressedPayload(0, payload, hostOffset: HostOffset, additionalSectors: (payload.Length / 512) + moreSectors)],
        }.Build().ToBytes().Truncate(HostOffset + payload.Length);
        Assert.NotEqual(0, bytes.Length % 512);

        using var chain = Qcow2Chain.Open(new MemoryStream(bytes));
        Assert.Equal(content, chain.ReadWholeDisk());
        Assert.Equal(payload.Length, Assert.Single(chain.Map()).HostLength);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void RubbishBehindTheCompressedBytes_IsIgnored(int type)
    {
        byte[] content = new byte[ClusterSize];
        new Random(3).NextBytes(content.AsSpan(0, 300));
        byte[] payload = [.. ClusterCompressor.Compress(content, (CompressionType)type), .. GuestDisk.Filled(900, 0xFF)];
        CheckCompressed(content, (CompressionType)type, payload);
    }

    [Fact]
    public void DeflateStreamLongerThanACluster_ReadsItsFirstBytes()
    {
        byte[] content = new byte[ClusterSize * 2];
        new Random(4).NextBytes(content.AsSpan(0, ClusterSize));
        CheckCompressed(content[..ClusterSize], CompressionType.Zlib, ClusterCompressor.Compress(content, CompressionType.Zlib));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(27)]
    public void ZstdWindowUpToTheLimit_Reads(int windowLog) =>
        CheckCompressed(GuestDisk.Filled(ClusterSize, 0x77), CompressionType.Zstd, FramesOfWindow(windowLog));

    /// <summary>A window is what the writer allowed itself, not what the cluster needs: zstd's highest levels ask for 128 MiB.</summary>
    [QemuTheory]
    [InlineData(27, true)]
    [InlineData(28, false)]
    public async Task ZstdWindow_IsLimitedAsInQemu(int windowLog, bool reads)
    {
        using TempDirectory files = new();
        string path = files.Write("image.qcow2", CompressedImage(CompressionType.Zstd, FramesOfWindow(windowLog)));
        QemuResult qemu = await Qemu.ImgRaw("convert", "-O", "raw", path, files.File("raw"));
        Assert.Equal(reads, qemu.ExitCode == 0);
        using Qcow2Chain chain = Qcow2Chain.Open(path);
        Exception? error = Record.Exception(() => _ = chain.ReadWholeDisk());
        Assert.Equal(reads, error is null);
        if (reads)
        {
            Assert.Equal(File.ReadAllBytes(files.File("raw")), chain.ReadWholeDisk());
        }
    }

    [Fact]
    public void ZstdWindowOverTheOption_IsRefused()
    {
        byte[] image = CompressedImage(CompressionType.Zstd, FramesOfWindow(20));
        using (Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image), new() { MaxZstdWindowBytes = 1 << 20 }))
        {
            Assert.Equal(GuestDisk.Filled(ClusterSize, 0x77), chain.ReadWholeDisk());
        }

        using Qcow2Chain limited = Qcow2Chain.Open(new MemoryStream(image), new() { MaxZstdWindowBytes = (1 << 20) - 1 });
        Assert.Throws<Qcow2FormatException>(() => limited.ReadWholeDisk());
    }

    [Fact]
    public void ZstdWindowOfACluster_IsNeverOverTheOption()
    {
        byte[] image = CompressedImage(CompressionType.Zstd, FramesOfWindow(12));
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image), new() { MaxZstdWindowBytes = 0 });
        Assert.Equal(GuestDisk.Filled(ClusterSize, 0x77), chain.ReadWholeDisk());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void CompressedClustersAtOddOffsets_Read(int type)
    {
        byte[] noise = new byte[6 * ClusterSize];
        new Random(5).NextBytes(noise);
        Qcow2Image image = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = 6 * ClusterSize,
            CompressionType = (CompressionType)type,
            Clusters = [GuestClusters.Compressed(0, noise, count: 6, skip: 37)],
        }.Build();

        // One of them lies across two host clusters.
        using var chain = Qcow2Chain.Open(new MemoryStream(image.ToBytes()));
        Assert.Equal(image.ExpectedContent(), chain.ReadWholeDisk());
        Assert.Contains(chain.Map(), extent => extent.HostOffset % 512 != 0);
        Assert.Contains(chain.Map(), extent => extent.HostOffset / ClusterSize != (extent.HostOffset + extent.HostLength - 1) / ClusterSize);
    }

    [Fact]
    public void CompressedClusterOfTwoEntries_IsTwoExtents()
    {
        Qcow2Builder once = new() { ClusterBits = 12, Size = 2 * ClusterSize, Clusters = [GuestClusters.Compressed(0, 0x33)] };
        Qcow2Image image = once.Build();
        byte[] bytes = image.ToBytes();
        bytes.WriteU64(image.L2EntryOffset(1), bytes.ReadU64(image.L2EntryOffset(0)));

        using var chain = Qcow2Chain.Open(new MemoryStream(bytes));
        MapExtent[] map = [.. chain.Map()];
        Assert.Equal([(0L, (long)ClusterSize), (ClusterSize, ClusterSize)], map.Select(extent => (extent.Start, extent.Length)));
        Assert.Equal(map[0].HostOffset, map[1].HostOffset);
        Assert.Equal(GuestDisk.Filled(2 * ClusterSize, 0x33), chain.ReadWholeDisk());
    }

    private static byte[] FramesOfWindow(int windowLog) =>
        [.. Enumerable.Range(0, 4).SelectMany(_ => ZstdFrame.Repeat(0x77, ClusterSize / 4, windowLog))];

    private static byte[] CompressedImage(CompressionType type, byte[] payload) => new Qcow2Builder
    {
        ClusterBits = 12,
        Size = ClusterSize,
        CompressionType = type,
        Clusters = [GuestClusters.CompressedPayload(0, payload)],
    }.Build().ToBytes();

    private static void CheckCompressed(byte[] content, CompressionType type, byte[] payload)
    {
        using var chain = Qcow2Chain.Open(new MemoryStream(CompressedImage(type, payload)));
        Assert.Equal(content, chain.ReadWholeDisk());
        Assert.Equal(content[1..100], chain.ReadRange(1, 99));
    }
}
