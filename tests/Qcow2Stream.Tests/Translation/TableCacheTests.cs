using Qcow2Stream.Images;

namespace Qcow2Stream.Tests.Translation;

public class TableCacheTests
{
    private const int PieceBytes = 4096;

    // A slot and the objects around a table, as the cache counts them.
    private const int Overhead = 64;

    [Fact]
    public void EmptyCache_HoldsNothing()
    {
        TableCache cache = new(1 << 20, PieceBytes, 1000);
        for (long number = 0; number < 1000; number++)
        {
            Assert.False(cache.TryGet(number, out ulong[]? table));
            Assert.Null(table);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(PieceBytes)]
    [InlineData(2 * (PieceBytes + Overhead))]
    [InlineData(3 * (PieceBytes + Overhead))]
    [InlineData(5 * (PieceBytes + Overhead))]
    [InlineData(63 * (PieceBytes + Overhead))]
    [InlineData(64 * (PieceBytes + Overhead))]
    [InlineData(65 * (PieceBytes + Overhead))]
    [InlineData(1 << 20)]
    public void Cache_StaysWithinItsBytesAndUsesMostOfThem(long maxBytes)
    {
        TableCache cache = new(maxBytes, PieceBytes, pieceCount: 100_000);
        for (long number = 0; number < 3000; number++)
        {
            cache.Add(number, new ulong[1]);
        }

        int kept = Count(cache, 3000);
        long allowed = Math.Max(1, maxBytes / (PieceBytes + Overhead));
        Assert.InRange(kept, 1, allowed);

        // Sets are a power of two, so at worst a little less than half stays unused.
        Assert.True(kept * 2 > allowed, $"{kept} of {allowed}");
    }

    [Fact]
    public void LastAdded_IsAlwaysThere()
    {
        foreach (long maxBytes in new long[] { 0, 20_000, 1 << 20 })
        {
            TableCache cache = new(maxBytes, PieceBytes, pieceCount: 100_000);
            for (long number = 0; number < 3000; number++)
            {
                ulong[] table = [(ulong)number];
                cache.Add(number, table);
                Assert.True(cache.TryGet(number, out ulong[]? found));
                Assert.Same(table, found);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void ImageWithFewPieces_KeepsThemAll(int pieceCount)
    {
        TableCache cache = new(1 << 30, PieceBytes, pieceCount);
        for (long number = 0; number < pieceCount; number++)
        {
            cache.Add(number, [(ulong)number]);
        }

        Assert.Equal(pieceCount, Count(cache, pieceCount));
    }

    [Fact]
    public void SecondTableOfANumber_ReplacesTheFirst()
    {
        TableCache cache = new(8 * (PieceBytes + Overhead), PieceBytes, 1000);
        for (long number = 0; number < 8; number++)
        {
            cache.Add(number, [0]);
        }

        int before = Count(cache, 8);
        ulong[] second = [1];
        cache.Add(5, second);
        cache.Add(5, second);
        Assert.True(cache.TryGet(5, out ulong[]? found));
        Assert.Same(second, found);
        Assert.Equal(before, Count(cache, 8));
    }

    [Fact]
    public void CacheForAWalk_UsesOneTablesMemoryForTheNext()
    {
        TableCache cache = TableCache.ForWalk();
        ulong[] table = cache.NewTable(4);
        cache.Add(7, table);
        Assert.True(cache.TryGet(7, out ulong[]? found));
        Assert.Same(table, found);

        // From here on the memory is the next table's, whether that can be loaded or not.
        Assert.Same(table, cache.NewTable(4));
        Assert.False(cache.TryGet(7, out _));
        cache.Add(8, table);
        Assert.Equal(3, cache.NewTable(3).Length);
    }

    [Fact]
    public void SharedCache_NeverUsesATablesMemoryAgain()
    {
        TableCache cache = new(0, PieceBytes, 1000);
        ulong[] table = cache.NewTable(4);
        cache.Add(7, table);
        Assert.NotSame(table, cache.NewTable(4));
        Assert.True(cache.TryGet(7, out _));
    }

    [Fact]
    public void NumbersOfOneSet_AreKeptApart()
    {
        // 16 slots: the numbers 4 apart share a set of four.
        TableCache cache = new(16 * (PieceBytes + Overhead), PieceBytes, long.MaxValue);
        long[] numbers = [3, 3 + 4, 3 + (4L << 40), long.MaxValue];
        foreach (long number in numbers)
        {
            cache.Add(number, [(ulong)number]);
        }

        foreach (long number in numbers)
        {
            Assert.True(cache.TryGet(number, out ulong[]? table));
            Assert.Equal((ulong)number, table[0]);
        }

        Assert.False(cache.TryGet(11, out _));
        cache.Add(11, [11]);
        Assert.Equal(3, numbers.Count(number => cache.TryGet(number, out _)));
    }

    [Fact]
    public void ManyThreads_NeverSeeAnothersTable()
    {
        TableCache cache = new(16 * (PieceBytes + Overhead), PieceBytes, 1000);
        Parallel.For(0, 8, thread =>
        {
            Random random = new(thread);
            for (int round = 0; round < 20_000; round++)
            {
                long number = random.Next(100);
                if (cache.TryGet(number, out ulong[]? table))
                {
                    Assert.Equal((ulong)number, table[0]);
                }
                else
                {
                    cache.Add(number, [(ulong)number]);
                }
            }
        });
        Assert.InRange(Count(cache, 100), 1, 16);
    }

    private static int Count(TableCache cache, int numbers) =>
        Enumerable.Range(0, numbers).Count(number => cache.TryGet(number, out _));
}
