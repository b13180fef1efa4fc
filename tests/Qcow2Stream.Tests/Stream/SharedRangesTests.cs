using DiscUtils.Streams;
using Qcow2Stream.Copying;

namespace Qcow2Stream.Tests.Streams;

/// <summary>What two readers get is the same, though holes of a file come and go.</summary>
public sealed class SharedRangesTests
{
    [Fact]
    public void BothGetTheSame_AtTheirOwnPace()
    {
        int asked = 0;
        IEnumerable<StreamExtent> Changing()
        {
            int time = asked++;
            for (int i = 0; i < 10; i++)
            {
                yield return new StreamExtent((i * 100) + time, 50);
            }
        }

        using SharedRanges shared = new(Changing());
        using IEnumerator<StreamExtent> first = shared.First.GetEnumerator();
        using IEnumerator<StreamExtent> second = shared.Second.GetEnumerator();
        List<StreamExtent> firsts = [];
        List<StreamExtent> seconds = [];
        for (int i = 0; i < 4; i++)
        {
            Assert.True(first.MoveNext());
            firsts.Add(first.Current);
        }

        while (second.MoveNext())
        {
            seconds.Add(second.Current);
        }

        while (first.MoveNext())
        {
            firsts.Add(first.Current);
        }

        Assert.Equal(1, asked);
        Assert.Equal(10, firsts.Count);
        Assert.Equal(firsts, seconds);
    }

    /// <summary>What can't be read ends both, after what could be.</summary>
    [Fact]
    public void Error_EndsBoth()
    {
        static IEnumerable<StreamExtent> Broken()
        {
            yield return new StreamExtent(0, 1);
            throw new Qcow2FormatException("broken", "disk.qcow2");
        }

        using SharedRanges shared = new(Broken());
        foreach (IEnumerable<StreamExtent> ranges in new[] { shared.First, shared.Second })
        {
            List<StreamExtent> told = [];
            Assert.Throws<Qcow2FormatException>(() => told.AddRange(ranges.Select(r => r)));
            using IEnumerator<StreamExtent> again = ranges.GetEnumerator();
            Assert.Throws<Qcow2FormatException>(() => again.MoveNext());
        }
    }
}
