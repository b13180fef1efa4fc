using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Mapping;

/// <summary>The map's ranges, as a caller distinguishes them.</summary>
public sealed class MergedByTests
{
    [Theory]
    [InlineData("chain-3.qcow2")]
    [InlineData("zlib.qcow2")]
    [InlineData("extended-l2.qcow2")]
    public void Ranges_CoverTheDiskAndNoTwoNeighboursAreEqual(string image)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image(image));
        List<MapRange<bool>> ranges = [.. chain.Map().MergedBy(e => e.IsZero)];
        long position = 0;
        foreach (MapRange<bool> range in ranges)
        {
            Assert.Equal(position, range.Start);
            position = range.End;
        }

        Assert.Equal(chain.Length, position);
        Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.NotEqual(pair.First.Key, pair.Second.Key));
        Assert.Equal(
            chain.Map().Where(e => !e.IsZero).Sum(e => e.Length), ranges.Where(r => !r.Key).Sum(r => r.Length));
    }

    /// <summary>A list of a map's extents is written as the map itself is.</summary>
    [Theory]
    [InlineData("chain-3.qcow2")]
    [InlineData("luks")]
    [InlineData("empty.qcow2")]
    [InlineData("zlib.qcow2")]
    public void ListOfExtents_IsWrittenAsTheMapIs(string image)
    {
        using TempDirectory scratch = new();
        string path = image == "luks" ? Repository.UnpackImage("luks.qcow2", scratch) : Repository.Image(image);
        using Qcow2Chain chain = Qcow2Chain.Open(path);
        foreach (MapEnumerator map in new[] { chain.Map(), chain.Map().WithHostHoles(), chain.Map(5000, 3000) })
        {
            Assert.Equal(Written(map.WriteJson), Written(map.ToList().WriteJson));
            Assert.Equal(Written(map.WriteText), Written(map.ToList().WriteText));
        }
    }

    private static byte[] Written(Action<Stream> write)
    {
        using MemoryStream output = new();
        write(output);
        return output.ToArray();
    }
}
