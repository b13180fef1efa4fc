using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>
/// One entry of a good image's tables, or what it points at, is damaged: the image opens, reads of the range behind
/// that entry fail, and all others give the right bytes.
/// </summary>
public class TableDamageTests
{
    private const int ClusterSize = 4096;
    private const int TableCoverage = ClusterSize * 512;
    private const int SecondTable = 512;
    private const ulong Compressed = 1UL << 62;
    private const ulong ZeroFlag = 1;

    private static readonly Type Broken = typeof(Qcow2FormatException);
    private static readonly Qcow2Image Image = Build(3, CompressionType.Zlib);
    private static readonly byte[] Expected = Image.ExpectedContent();

    // The clusters of Build: 0 and 1 data, 2 unallocated, 3 zero, 4 and 5 compressed, 512 and 513 data.
    private static readonly Damage[] Rows =
    [
        new("L2 table misaligned", () => L1(1, Table(1) + 512), Broken, "L1 entry 1: L2 table offset 0x", L1Place(1), TableCoverage), // a table starts with a cluster
        new("L2 table outside", () => L1(1, 1UL << 40), Broken, "L1 entry 1: L2 table offset 0x10000000000 does not lie inside the file", L1Place(1), TableCoverage), // far past the end
        new("L2 table at the end", () => L1(1, (ulong)Image.FileLength), Broken, "does not lie inside the file", L1Place(1), TableCoverage), // aligned, and just past the last byte
        new("L2 table at the mask's end", () => L1(1, 0x00FF_FFFF_FFFF_F000), Broken, "L2 table offset 0xfffffffffff000 does not lie", L1Place(1), TableCoverage), // the largest offset there is
        new("L2 table cut", () => [.. L1(1, (ulong)Image.FileLength), .. new byte[ClusterSize - 1]], Broken, "does not lie inside the file", L1Place(1), TableCoverage), // starts inside, ends outside
        new("data misaligned", () => L2(1, Host(1) + 512), Broken, "is not cluster-aligned", L2Place(1), ClusterSize), // a cluster starts with a cluster
        new("data outside", () => L2(1, 1UL << 40), Broken, "cluster offset 0x10000000000 lies past the end of the file", L2Place(1), ClusterSize), // far past the end
        new("data at the end", () => L2(1, (ulong)Image.FileLength), Broken, "lies past the end of the file", L2Place(1), ClusterSize), // aligned, and just past the last byte
        new("data at the mask's end", () => L2(1, 0x00FF_FFFF_FFFF_F000), Broken, "cluster offset 0xfffffffffff000 lies past", L2Place(1), ClusterSize), // the largest offset there is
        new("zero with a misaligned cluster", () => L2(1, (Host(1) + 512) | ZeroFlag), Broken, "is not cluster-aligned", L2Place(1), ClusterSize), // as QEMU has it, though the cluster is not read
        new("compressed outside", () => L2(4, Compressed | (1UL << 40)), Broken, "compressed cluster offset 0x10000000000 lies past the end", L2Place(4), 4 * ClusterSize), // far past the end
        new("compressed at the end", () => L2(4, Compressed | (ulong)Image.FileLength), Broken, "compressed cluster offset 0x", L2Place(4), 4 * ClusterSize), // just past the last byte
        new("compressed at the mask's end", () => L2(4, ulong.MaxValue), Broken, "compressed cluster offset 0x3ffffffffffffff lies past", L2Place(4), 4 * ClusterSize), // every bit set
    ];

    // What stands in cluster 4, which is compressed.
    private static readonly (string Name, CompressionType Type, byte[] Payload)[] Payloads =
    [
        ("deflate, reserved block type", CompressionType.Zlib, [0xFF, 0xFF, 0xFF, 0xFF]), // no such block
        ("deflate, all zeros", CompressionType.Zlib, new byte[64]), // a stored block whose length does not match its complement
        ("deflate, nothing in it", CompressionType.Zlib, [0x03, 0x00]), // a complete stream of no bytes
        ("zstd, no magic", CompressionType.Zstd, [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]), // no frame
        ("zstd, ends early", CompressionType.Zstd, ZstdFrame.Repeat(0x44, ClusterSize - 1, windowLog: 13)), // a complete frame, one byte short
        ("zstd, too long", CompressionType.Zstd, ZstdFrame.Repeat(0x44, ClusterSize + 1, windowLog: 13)), // the frame continues past the cluster
        ("zstd, window of 256 MiB", CompressionType.Zstd, ZstdFrame.Repeat(0x44, ClusterSize, windowLog: 28)), // over the limit, whatever the cluster needs
        ("zstd, window of 2 TiB", CompressionType.Zstd, ZstdFrame.Repeat(0x44, ClusterSize, windowLog: 41)), // as large as the format can say
        ("zstd, reserved bit", CompressionType.Zstd, ZstdFrame.Repeat(0x44, ClusterSize, windowLog: 13).WriteU8(4, 8)), // must be zero
        ("zstd, reserved block type", CompressionType.Zstd, ZstdFrame.Repeat(0x44, ClusterSize, windowLog: 13).WriteU8(6, 7)), // no such block
        ("zstd, wants a dictionary", CompressionType.Zstd, [0x28, 0xB5, 0x2F, 0xFD, 1, 0x18, 77, 0x03, 0x80, 0x00, 0x44]), // there is none
    ];

    public static TheoryData<string> Names => new(Rows.Select(row => row.Name));

    public static TheoryData<string> PayloadNames => new(Payloads.Select(row => row.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task DamagedEntry_FailsItsRangeOnly(string name)
    {
        using TempDirectory directory = new();
        Damage row = Rows.Single(row => row.Name == name);
        string path = directory.Write("image.qcow2", row.Image());
        long end = row.GuestOffset!.Value + (row.GuestOffset == TableCoverage ? TableCoverage : ClusterSize);

        await CheckDamage(path, row, end);
    }

    [Theory]
    [MemberData(nameof(PayloadNames))]
    public async Task BrokenCompressedCluster_FailsThatClusterOnly(string name)
    {
        using TempDirectory directory = new();
        (_, CompressionType type, byte[] payload) = Payloads.Single(row => row.Name == name);
        Qcow2Image image = Build(3, type, payload);
        string path = directory.Write("image.qcow2", image.ToBytes());
        long hostOffset = (long)(image.ToBytes().ReadU64(image.L2EntryOffset(4)) & ((1UL << 58) - 1));
        string kind = type == CompressionType.Zstd ? "zstd" : "deflate";
        Damage row = new(name, image.ToBytes, Broken, $"compressed cluster: the {kind} data is broken", hostOffset, 4 * ClusterSize);

        await CheckDamage(path, row, 5 * ClusterSize);
    }

    /// <summary>What comes out of it before its end is right; a request for the missing byte, first or later, gets the error.</summary>
    [Fact]
    public void DeflateThatEndsEarly_FailsWhoeverReadsToItsEnd()
    {
        byte[] cluster = new byte[ClusterSize - 1];
        cluster.AsSpan().Fill(7);
        using var chain = Qcow2Chain.Open(new MemoryStream(
            Build(3, CompressionType.Zlib, ClusterCompressor.Compress(cluster, CompressionType.Zlib)).ToBytes()));
        for (int round = 0; round < 3; round++)
        {
            Assert.Equal(4 * ClusterSize, Assert.Throws<Qcow2FormatException>(() => chain.ReadAt(4 * ClusterSize, new byte[ClusterSize])).GuestOffset);
            Assert.Equal(4 * ClusterSize, Assert.Throws<Qcow2FormatException>(() => chain.ReadAt((5 * ClusterSize) - 1, new byte[1])).GuestOffset);
            if (round == 1)
            {
                Assert.Equal(cluster[..100], chain.ReadRange(4 * ClusterSize, 100));
            }
        }
    }

    [Fact]
    public async Task ZeroFlagInVersion2_FailsItsRangeOnly()
    {
        using TempDirectory directory = new();
        Qcow2Image image = Build(2, CompressionType.Zlib);
        byte[] bytes = image.ToBytes();
        bytes.WriteU64(image.L2EntryOffset(1), bytes.ReadU64(image.L2EntryOffset(1)) | ZeroFlag);
        string path = directory.Write("image.qcow2", bytes);
        Damage row = new("zero flag", () => bytes, Broken, "the zero flag is set, which version 2 does not have", image.L2EntryOffset(1), ClusterSize);

        await CheckDamage(path, row, 2 * ClusterSize);
    }

    [Fact]
    public void DamageInsideALongRead_IsReportedAtItsOwnPlace()
    {
        byte[] bytes = L2(1, 1UL << 40);
        using var chain = Qcow2Chain.Open(new MemoryStream(bytes));
        byte[] buffer = new byte[4 * ClusterSize];

        var error = Assert.Throws<Qcow2FormatException>(() => chain.ReadAt(10, buffer));
        Assert.Equal(ClusterSize, error.GuestOffset);
        Assert.Equal(L2Place(1), error.HostOffset);
    }

    [Fact]
    public void DamagedEntryInsideTheMap_LeavesTheRestMappable()
    {
        byte[] bytes = L2(1, 1UL << 40);
        using var chain = Qcow2Chain.Open(new MemoryStream(bytes));

        Assert.Throws<Qcow2FormatException>(() => chain.Map().ToArray());
        Assert.Throws<Qcow2FormatException>(() => chain.Map(ClusterSize, 1).ToArray());
        Assert.Equal(MapKind.Data, Assert.Single(chain.Map(0, ClusterSize)).Kind);
        Assert.NotEmpty(chain.Map(2 * ClusterSize, chain.Length));
    }

    [Fact]
    public void FileThatShrinksWhileOpen_FailsInsteadOfGivingZeros()
    {
        using TempDirectory directory = new();
        string path = directory.Write("image.qcow2", Image.ToBytes());
        using var chain = Qcow2Chain.Open(path);
        Assert.Equal(Expected[..ClusterSize], chain.ReadRange(0, ClusterSize));

        using (FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(Image.HostOffsetOf(1)!.Value);
        }

        Assert.Equal(Expected[..ClusterSize], chain.ReadRange(0, ClusterSize));
        var error = Assert.Throws<Qcow2FormatException>(() => chain.ReadRange(0, 2 * ClusterSize));
        Assert.Equal(path, error.ImagePath);
    }

    private static async Task CheckDamage(string path, Damage row, long end)
    {
        long start = row.GuestOffset!.Value;
        using Qcow2ChainStream stream = new(path);
        Assert.Equal(Expected.Length, stream.Length);
        byte[] buffer = new byte[512];

        // Twice: what failed must not be kept as if it had not.
        for (int round = 0; round < 2; round++)
        {
            stream.Position = start;
            row.Check(Record.Exception(() => stream.Read(buffer)), path);
            Assert.Equal(start, stream.Position);
            row.Check(await Record.ExceptionAsync(async () => await stream.ReadExactlyAsync(buffer)), path);
            Assert.Equal(start, stream.Position);
        }

        // A read that runs into the damage fails as a whole.
        stream.Position = start - 100;
        Assert.ThrowsAny<Qcow2Exception>(() => stream.Read(buffer));
        Assert.Equal(start - 100, stream.Position);
        Assert.ThrowsAny<Qcow2Exception>(() => stream.Chain.ReadAt(end - 1, new byte[1]));

        Assert.Equal(Expected[..(int)start], stream.Chain.ReadRange(0, (int)start));
        Assert.Equal(Expected[(int)end..], stream.Chain.ReadRange(end, (int)(stream.Length - end)));
    }

    private static Qcow2Image Build(uint version, CompressionType type, byte[]? payload = null) => new Qcow2Builder
    {
        Version = version,
        ClusterBits = 12,
        Size = 2 * TableCoverage,
        CompressionType = type,
        Clusters =
        [
            GuestClusters.Data(0, 0x10),
            GuestClusters.Data(1, 0x11),
            version == 2 ? GuestClusters.RawEntry(3, 0) : GuestClusters.Zero(3),
            payload is null ? GuestClusters.Compressed(4, 0x44) : GuestClusters.CompressedPayload(4, payload),
            GuestClusters.Compressed(5, 0x55),
            GuestClusters.Data(SecondTable, 0x20, count: 2),
        ],
    }.Build();

    private static byte[] L1(int index, ulong entry) => Image.ToBytes().WriteU64(L1Place(index), entry);

    private static byte[] L2(long cluster, ulong entry) => Image.ToBytes().WriteU64(L2Place(cluster), entry);

    private static long L1Place(int index) => Image.L1EntryOffset(index);

    private static long L2Place(long cluster) => Image.L2EntryOffset(cluster);

    private static ulong Table(int index) => (ulong)Image.L2Offsets[index];

    private static ulong Host(long cluster) => (ulong)Image.HostOffsetOf(cluster)!.Value;
}
