using Qcow2Stream.Translation;

namespace Qcow2Stream.Tests.Translation;

public class EntryScanTests
{
    private const int MostEntries = 40;

    [Theory]
    [InlineData(ulong.MaxValue, 0x50000UL, 0x10000UL)] // contiguous clusters
    [InlineData(ulong.MaxValue, 0UL, 0UL)] // one entry over and over
    [InlineData(0x40FF_FFFF_FFFF_FE01UL, 0x50000UL, 0x200UL)]
    [InlineData(0x40FF_FFFF_FFFF_FE01UL, 0x50001UL, 0x200000UL)]
    [InlineData(0x00FF_FFFF_FFFF_FE00UL, 0UL, 0UL)]
    [InlineData(ulong.MaxValue, ulong.MaxValue - 0x2000, 0x1000UL)] // runs over the largest number
    public void CountRun_AgreesWithTheObviousLoop(ulong mask, ulong first, ulong step)
    {
        for (int length = 0; length <= MostEntries; length++)
        {
            // No break at all, a break at each position, and the pattern again after it.
            for (int at = 0; at <= length; at++)
            {
                ulong[] entries = Pattern(length, mask, first, step);
                if (at < length)
                {
                    entries[at] ^= mask & (~mask + 1);
                }

                Assert.Equal(CountSlowly(entries, mask, first, step), EntryScan.CountRun(entries, mask, first, step));
                Assert.Equal(at, EntryScan.CountRun(entries, mask, first, step));
            }
        }
    }

    [Fact]
    public void CountRun_AgreesWithTheObviousLoopOnRandomEntries()
    {
        Random random = new(1);
        for (int round = 0; round < 5000; round++)
        {
            ulong mask = 1UL << random.Next(3);
            ulong step = (ulong)random.Next(2);
            ulong first = (ulong)random.Next(2) & mask;
            ulong[] entries = [.. Enumerable.Range(0, random.Next(MostEntries)).Select(_ => random.Next(8) == 0 ? (ulong)random.NextInt64() : first)];
            Assert.Equal(CountSlowly(entries, mask, first, step), EntryScan.CountRun(entries, mask, first, step));
        }
    }

    [Fact]
    public void CountRun_SeesEveryMaskedBit()
    {
        const ulong Mask = 0x40FF_FFFF_FFFF_FE01;
        for (int bit = 0; bit < 64; bit++)
        {
            ulong[] entries = Pattern(16, Mask, 0x50000, 0x10000);
            entries[9] ^= 1UL << bit;
            Assert.Equal((Mask >> bit & 1) != 0 ? 9 : 16, EntryScan.CountRun(entries, Mask, 0x50000, 0x10000));
        }
    }

    private static ulong[] Pattern(int length, ulong mask, ulong first, ulong step)
    {
        ulong[] entries = new ulong[length];
        for (int index = 0; index < length; index++)
        {
            // What the mask leaves out differs from entry to entry.
            entries[index] = (first + (step * (ulong)index)) | (~mask & (ulong.MaxValue << (index % 64)));
        }

        return entries;
    }

    private static int CountSlowly(ulong[] entries, ulong mask, ulong first, ulong step)
    {
        int count = 0;
        ulong expected = first;
        foreach (ulong entry in entries)
        {
            if ((entry & mask) != expected)
            {
                break;
            }

            count++;
            expected += step;
        }

        return count;
    }
}
