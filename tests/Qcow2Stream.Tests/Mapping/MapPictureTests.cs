using System.Text;
using System.Xml.Linq;
using Qcow2Stream.Layers;
using Qcow2Stream.Mapping.Picture;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Tests.Mapping;

/// <summary>The drawing of a map: cells against a plain count of bytes, and the file.</summary>
public sealed class MapPictureTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(1, 1 << 20, 0, 1 << 20)]
    [InlineData(2, 5_000_192, 0, 5_000_192)]
    [InlineData(3, 64 << 20, 0, 64 << 20)]
    [InlineData(4, 64 << 20, 12_345_678, 30_000_001)]
    [InlineData(5, 100 << 20, 0, 100 << 20)]
    [InlineData(6, 8192, 511, 1030)]
    public void Cells_ShowWhatTheirBytesAre(int seed, long size, long start, long length)
    {
        using Qcow2Chain chain = RandomChain(seed, size);
        MapPicture picture = MapPicture.Of(new RunRequest(chain.Inner, RunDetail.HostHoles, default), start, length);
        Dictionary<int, CellStyle> drawn = [];
        foreach ((CellStyle style, List<CellRun> runs) in picture.Cells)
        {
            foreach (CellRun run in runs)
            {
                Assert.InRange(run.Column + run.Count, 1, Grid.Columns);
                for (int column = run.Column; column < run.Column + run.Count; column++)
                {
                    drawn.Add((run.Row * Grid.Columns) + column, style);
                }
            }
        }

        Grid grid = picture.Grid;
        Assert.InRange(grid.Rows, 1, 64);
        List<MapExtent> map = [.. chain.Map(start, length).WithHostHoles()];
        int passed = 0;
        for (int cell = 0; grid.StartOf(cell) < start + length; cell++)
        {
            long end = Math.Min(start + length, grid.StartOf(cell) + grid.CellBytes);
            while (map[passed].End <= grid.StartOf(cell))
            {
                passed++;
            }

            List<MapExtent> parts = [.. map.Skip(passed).TakeWhile(e => e.Start < end)];
            AssertCell(drawn.TryGetValue(cell, out CellStyle style) ? style : null, parts, grid.StartOf(cell), end);
            drawn.Remove(cell);
        }

        Assert.Empty(drawn);
    }

    [Theory]
    [InlineData(0, 0, 512)]
    [InlineData(1, 1, 512)]
    [InlineData(512, 1, 512)]
    [InlineData(32_768, 64, 512)]
    [InlineData(32_769, 33, 1024)]
    [InlineData(1L << 20, 64, 16_384)]
    [InlineData(1L << 40, 64, 1L << 34)]
    [InlineData((1L << 40) + 1, 33, 1L << 35)]
    [InlineData(long.MaxValue, 64, 1L << 57)]
    public void Grid_HasAtMost64RowsOfAPowerOfTwo(long length, int rows, long rowBytes)
    {
        Grid grid = new(0, length);
        Assert.Equal((rows, rowBytes), (grid.Rows, grid.RowBytes));
    }

    [Theory]
    [InlineData("chain-3")]
    [InlineData("zlib")]
    [InlineData("empty")]
    public Task Svg_IsDrawn(string image)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image(image + ".qcow2"));
        return Verifier.Verify(Svg(chain)).UseParameters(image);
    }

    /// <summary>Pixels of the rows of chain-3, 2 KiB each, which hold what its map says: four rows of layer 0, two of layer 1, and so on.</summary>
    [BrowserFact]
    public async Task Svg_LooksLikeThatInABrowser()
    {
        string path;
        using (Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("chain-3.qcow2")))
        {
            path = _scratch.Write("map.svg", Encoding.UTF8.GetBytes(Svg(chain)));
        }

        Png shown = await Browser.OpenAsync(path, 1100, 1000);
        const int White = 0xFFFFFF;
        foreach ((int row, int color) in new[] { (0, 0x0072B2), (3, 0x0072B2), (4, 0xE69F00), (10, 0xD55E00), (17, 0xD55E00), (24, 0x009E73), (30, 0xECECEC), (40, 0x0072B2), (47, 0xECECEC) })
        {
            // At its left end, in its middle, at its right end.
            Assert.All([100, 540, 985], x => Assert.Equal((row, $"{color:x6}"), (row, $"{shown[x, 72 + (10 * row) + 4]:x6}")));
        }

        // Hatched where compressed, dotted where zeros: two colours there, and in the row where the file below ends.
        int[] Colors(int row) => [.. Enumerable.Range(100, 880).Select(x => shown[x, 72 + (10 * row) + 4])];
        Assert.Contains(0xE69F00, Colors(12));
        Assert.Contains(White, Colors(12));
        Assert.Contains(White, Colors(7));
        Assert.DoesNotContain(0xE69F00, Colors(7));
        Assert.Contains(0xD55E00, Colors(18));
        Assert.Contains(0xECECEC, Colors(18));

        // The legend's first entry, and nothing where the picture has nothing.
        Assert.Equal(0x0072B2, shown[110, 72 + 480 + 28 + 7]);
        Assert.Equal(White, shown[1010, 300]);
    }

    /// <summary>No two neighbouring cells alike, which an image of 64 KiB clusters can have at most.</summary>
    [Fact]
    public void Svg_IsBounded()
    {
        const int Clusters = 64 * 512;
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(new Qcow2Builder
        {
            ClusterBits = 9,
            Size = Clusters * 512L,
            Clusters = [.. Enumerable.Range(0, Clusters / 2).Select(i => GuestClusters.Zero(2 * i))],
        }.Build().ToBytes()));
        string svg = Svg(chain);
        Assert.InRange(svg.Length, Clusters / 2 * 10, 1 << 20);
        _ = XDocument.Parse(svg);
    }

    /// <summary>A name is text, whatever is in it.</summary>
    [UnixFact]
    public void Names_AreEscaped()
    {
        string path = _scratch.Write("<script>&\"'\u001b.qcow2", new Qcow2Builder { Size = 1 << 20 }.Build().ToBytes());
        using Qcow2Chain chain = Qcow2Chain.Open(path);
        string svg = Svg(chain);
        Assert.DoesNotContain("<script", svg, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', svg);
        Assert.Contains("<script>&\"'", XDocument.Parse(svg).Root!.Value, StringComparison.Ordinal);
    }

    /// <summary>Only its end is shown, which starts with no half of a character.</summary>
    [Theory]
    [InlineData(40, "x")]
    [InlineData(40, "xy")]
    [InlineData(12, "")]
    public void LongName_IsCutBetweenCharacters(int faces, string end)
    {
        string name = string.Concat(Enumerable.Repeat("\U0001F600", faces)) + end + ".qcow2";
        using Qcow2Chain chain = Qcow2Chain.Open(_scratch.Write(name, new Qcow2Builder { Size = 1 << 20 }.Build().ToBytes()));
        Assert.Contains($"\U0001F600{end}.qcow2", XDocument.Parse(Svg(chain)).Root!.Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(64)]
    public void Layers_HaveColoursOfTheirOwn(int layers)
    {
        string[] colors = [.. Enumerable.Range(0, layers).Select(depth => LayerColors.Of(depth, layers))];
        Assert.Equal(layers, colors.Distinct().Count());
        Assert.All(colors, color => Assert.Matches("^#[0-9a-f]{6}$", color));
    }

    private static void AssertCell(CellStyle? style, List<MapExtent> parts, long start, long end)
    {
        long Bytes(Func<MapExtent, bool> which) => parts.Where(which).Sum(e => Math.Min(e.End, end) - Math.Max(e.Start, start));
        long stored = Bytes(e => !e.IsZero);
        long zero = Bytes(e => e.Kind is MapKind.Zero or MapKind.Hole);
        if (stored + zero == 0)
        {
            Assert.Null(style);
            return;
        }

        Assert.NotNull(style);
        CellStyle shown = style.Value;
        Assert.Equal(stored > 0, shown.IsStored);
        Assert.Equal((int)Math.Ceiling(4.0 * (stored > 0 ? stored : zero) / (end - start)), shown.Quarters);
        if (stored > 0)
        {
            long shownBytes = Bytes(e => !e.IsZero && e.Depth == shown.Depth && e.Kind == (MapKind)shown.Kind);
            Assert.All(parts, part => Assert.True(part.IsZero || Bytes(e => e.Kind == part.Kind && e.Depth == part.Depth) <= shownBytes));
        }
    }

    private static string Svg(Qcow2Chain chain)
    {
        using MemoryStream output = new();
        chain.Map().WriteSvg(output);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    /// <summary>Two layers of clusters of every kind, in runs of random length.</summary>
    private Qcow2Chain RandomChain(int seed, long size)
    {
        Random random = new(seed);
        new Qcow2Builder { ClusterBits = 12, Size = size, Clusters = RandomClusters(random, size) }.Build().WriteTo(_scratch.File("below.qcow2"));
        string top = _scratch.File("top.qcow2");
        new Qcow2Builder
        {
            ClusterBits = 12,
            Size = size,
            BackingFile = "below.qcow2",
            BackingFormat = "qcow2",
            Clusters = RandomClusters(random, size),
        }.Build().WriteTo(top);
        return Qcow2Chain.Open(top);
    }

    private static List<GuestClusters> RandomClusters(Random random, long size)
    {
        List<GuestClusters> clusters = [];
        long all = (size + 4095) / 4096;
        for (long cluster = random.Next(3); cluster < all;)
        {
            int count = (int)Math.Min(all - cluster, random.Next(1, random.Next(3) == 0 ? 400 : 5));
            GuestClusters? next = random.Next(5) switch
            {
                0 => GuestClusters.Data(cluster, 1, count),
                1 => GuestClusters.Compressed(cluster, 2, count),
                2 => GuestClusters.Zero(cluster, count),
                _ => null,
            };
            clusters.AddRange(next is null ? [] : [next]);
            cluster += count;
        }

        return clusters;
    }
}
