using Qcow2Stream.Tests.Check;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>Small files whose maps are endless, and endless disks of which nothing is stored: both cost what is asked of them.</summary>
public sealed class MapBombTests
{
    private const int ClusterBits = 16;
    private const int ClusterSize = 1 << ClusterBits;
    private const int L2Entries = ClusterSize / 8;
    private const long HeaderRead = 4096;
    private const long TableRead = 1 << 16;

    // 8192 L1 entries for one L2 table, whose 8192 entries are the first cluster of the file and nothing by turns: 67
    // million extents, none of which merges with the next.
    private static readonly byte[] Bomb = MakeBomb();

    [Fact]
    public void StartOfAnEndlessMap_CostsAFewTables()
    {
        using TrackedStream file = new(Bomb);
        using var chain = Qcow2Chain.Open(file);
        Assert.Equal(HeaderRead, file.Reads.Sum(r => r.Length));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(1000, chain.Map().Take(1000).Count());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Equal(HeaderRead + (2 * TableRead), file.Reads.Sum(r => r.Length));
    }

    [Fact]
    public void TwoMillionExtents_AllocateNothingButTheirTables()
    {
        const int Extents = 2_000_000;
        const long ATable = TableRead + 256;
        using var chain = Qcow2Chain.Open(new MemoryStream(Bomb));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(Extents, chain.Map().Take(Extents).Count());

        // A table of 64 KiB serves 8192 of them, and a limited number of tables is kept.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, ((Extents / L2Entries) + 16) * ATable);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    [InlineData("human")]
    public void OutputThatStops_StopsTheMap(string form)
    {
        using TrackedStream file = new(Bomb) { MaxReads = 2000 };
        using var chain = Qcow2Chain.Open(file);
        FullStream output = new(() => throw new Qcow2Exception("full"));
        var error = Assert.Throws<Qcow2Exception>(() => Write(chain.Map(), form, output));

        // Pieces of it are made ahead, on all cores; that is all that is made in vain.
        Assert.StartsWith("full", error.Message, StringComparison.Ordinal);
        Assert.InRange(output.Written, 1, 4 << 20);
        Assert.InRange(file.Reads.Count, 2, 1999);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    [InlineData("human")]
    public void CancelledMap_Ends(string form)
    {
        using TrackedStream file = new(Bomb) { MaxReads = 2000 };
        using var chain = Qcow2Chain.Open(file);
        using CancellationTokenSource cancelled = new();
        FullStream output = new(cancelled.Cancel);
        OperationCanceledException error = Assert.ThrowsAny<OperationCanceledException>(
            () => Write(chain.Map().WithCancellation(cancelled.Token), form, output));
        Assert.Equal(cancelled.Token, error.CancellationToken);
        Assert.InRange(output.Written, 1, 8 << 20);
        Assert.InRange(file.Reads.Count, 2, 1999);
    }

    /// <summary>All 8192 tables say one thing, which is one extent: cancelling must not wait for its end.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void CancelledMap_EndsInsideAnExtent(bool isWritten)
    {
        byte[] zeros = [.. Bomb];
        for (int i = 0; i < L2Entries; i++)
        {
            zeros.WriteU64((2 << ClusterBits) + (i * 8), 1);
        }

        const int CancelAt = 10;
        using CancellationTokenSource cancelled = new();
        using WatchedStream file = new(zeros) { Reading = read => { if (read == CancelAt) { cancelled.Cancel(); } } };
        using var chain = Qcow2Chain.Open(file);
        MapEnumerator map = chain.Map().WithCancellation(cancelled.Token);
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            if (isWritten)
            {
                map.WriteText(Stream.Null);
            }
            else
            {
                _ = map.First();
            }
        });

        // Each of the pieces that are made at once may have been about to read.
        Assert.InRange(file.Reads, CancelAt, CancelAt + (2 * Environment.ProcessorCount));
    }

    [Theory]
    [InlineData(61, 32 << 20)]
    [InlineData(63, 128 << 20)]
    public void EmptyDiskOfExbibytes_IsOneExtentInOneStepATablePiece(int sizeBits, int l1Bytes)
    {
        const int LargeClusterBits = 21;
        const int L1Offset = 1 << LargeClusterBits;
        long size = (long)((1UL << sizeBits) - (sizeBits == 63 ? 512UL : 0));
        byte[] header = new Qcow2Builder { ClusterBits = LargeClusterBits, Size = 0 }.Build().ToBytes()[..512]
            .WriteU64(HeaderField.Size, (ulong)size)
            .WriteU64(HeaderField.L1TableOffset, L1Offset)
            .WriteU32(HeaderField.L1Size, (uint)l1Bytes / 8);
        EndlessStream file = new(header, L1Offset + (long)l1Bytes);
        using var chain = Qcow2Chain.Open(file, new Qcow2OpenOptions { MaxL1TableBytes = l1Bytes });
        Assert.Equal(1, file.Reads);

        MapExtent extent = Assert.Single(chain.Map());
        Assert.Equal((0, size, MapKind.Unallocated), (extent.Start, extent.Length, extent.Kind));
        Assert.Equal(1 + (l1Bytes / TableRead), file.Reads);

        Assert.Equal(new byte[512], chain.ReadRange(size - 512, 512));
        Assert.InRange(file.Reads, 0, 2 + (l1Bytes / TableRead));
    }

    [Fact]
    public void HeaderOf200Bytes_MakesNobodyAllocateMuch()
    {
        byte[] good = new Qcow2Builder { ClusterBits = ClusterBits, Size = 0 }.Build().ToBytes()[..200];
        (int Offset, int Width)[] fields =
        [
            (8, 8), (16, 4), (20, 4), (24, 8), (32, 4), (36, 4), (40, 8), (48, 8), (56, 4), (60, 4), (64, 8), (72, 8), (80, 8), (88, 8),
            (96, 4), (100, 4), (104, 1), (112, 4), (116, 4), (120, 8), (128, 8), (136, 8),
        ];
        using TempDirectory directory = new();

        // What is made once in a process is not counted.
        AllocatedFor(good, directory);
        foreach ((int offset, int width) in fields)
        {
            foreach (ulong value in new ulong[] { 0, 1, 9, 21, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF8, uint.MaxValue, long.MaxValue, 1UL << 63, ulong.MaxValue })
            {
                byte[] bad = [.. good];
                bad = width switch
                {
                    1 => bad.WriteU8(offset, (byte)value),
                    4 => bad.WriteU32(offset, (uint)value),
                    _ => bad.WriteU64(offset, value),
                };
                long allocated = AllocatedFor(bad, directory);
                Assert.True(allocated < 1 << 20, $"0x{value:x} at {offset}: {allocated} bytes allocated");
            }
        }
    }

    private static void Write(MapEnumerator map, string form, Stream output)
    {
        switch (form)
        {
            case "text":
                map.WriteText(output);
                break;
            case "json":
                map.WriteJson(output);
                break;
            default:
                map.WriteHuman(output);
                break;
        }
    }

    private static long AllocatedFor(byte[] image, TempDirectory directory)
    {
        string path = directory.Write("image.qcow2", image);
        Qcow2OpenOptions options = new() { Format = ImageFormat.Qcow2 };
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (Action use in new Action[]
        {
            () => Qcow2Chain.Open(path, options).Dispose(),
            () => ImageInfo.Read(path),
            () => _ = ImageInspection.Inspect(path, options).Count(),
            () =>
            {
                using ImageCheck check = ImageCheck.Open(path, options);
                _ = check.Run().Count();
            },
        })
        {
            Assert.True(Record.Exception(use) is null or Qcow2Exception);
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static byte[] MakeBomb()
    {
        const int L1Offset = 1 << ClusterBits;
        const int L2Offset = 2 << ClusterBits;
        byte[] image = new byte[3 << ClusterBits];
        new Qcow2Builder { ClusterBits = ClusterBits, Size = 0 }.Build().ToBytes().AsSpan(0, 512).CopyTo(image);
        image.WriteU64(HeaderField.Size, (ulong)L2Entries * L2Entries * ClusterSize)
            .WriteU64(HeaderField.L1TableOffset, L1Offset)
            .WriteU32(HeaderField.L1Size, L2Entries);
        for (int i = 0; i < L2Entries; i++)
        {
            image.WriteU64(L1Offset + (i * 8), L2Offset).WriteU64(L2Offset + (i * 8), i % 2 == 0 ? ClusterSize : 0UL);
        }

        return image;
    }
}
