using System.Text;
using Qcow2Stream.Layers;
using Qcow2Stream.Mapping;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Translation;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Tests.Mapping;

/// <summary>
/// A map is written in pieces, several at once. Whatever the pieces are, the text has to be that of one loop over the
/// whole map, up to the first error.
/// </summary>
public class MapWriterTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void AnyPieces_GiveTheTextOfTheWhole(int seed)
    {
        Random random = new(seed);
        using Qcow2Chain chain = RandomChain(random);
        long start = random.Next(2) * random.NextInt64(chain.Length);
        long end = random.Next(2) == 0 ? chain.Length : start + random.NextInt64(chain.Length - start + 1);
        AssertSame<TextForm>(chain, start, end);
        AssertSame<JsonForm>(chain, start, end);
    }

    [Fact]
    public void MoreRunsThanAPieceHolds_AreWritten()
    {
        // 13 000 entries are 1.4 MiB of text.
        using Qcow2Chain chain = Open(new Qcow2Builder
        {
            ClusterBits = 9,
            Size = 13_000 * 512,
            Clusters = [.. Enumerable.Range(0, 6_500).Select(cluster => GuestClusters.Zero(2 * cluster))],
        });
        AssertSame<JsonForm>(chain, 0, chain.Length, 1 << 20, 1 << 30);
    }

    [Fact]
    public void HugeEmptyDisk_IsPassedInFewSteps()
    {
        // 1 PiB; with one step a piece it would be 16 000 pieces of 64 GiB.
        using Qcow2Chain chain = Open(new Qcow2Builder
        {
            ClusterBits = 21,
            Size = 1L << 50,
            Clusters = [GuestClusters.Zero(0), GuestClusters.Zero(1L << 28, count: 3), GuestClusters.Zero((1L << 29) - 1)],
        });
        Assert.Equal(
            [(0L, 1L << 21), (1L << 21, (1L << 49) - (1L << 21)), (1L << 49, 3L << 21), ((1L << 49) + (3L << 21), (1L << 49) - (4L << 21)), ((1L << 50) - (1L << 21), 1L << 21)],
            chain.Map().Select(e => (e.Start, e.Length)));
        AssertSame<JsonForm>(chain, 0, chain.Length, 1 << 24, 1L << 34);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(700)]
    [InlineData(1999)]
    public void WhatComesBeforeADamagedEntry_IsWritten(int damaged)
    {
        using Qcow2Chain chain = Open(new Qcow2Builder
        {
            ClusterBits = 9,
            Size = 2000 * 512,
            Clusters =
            [
                .. Enumerable.Range(0, 2000).Where(c => c != damaged && c % 3 != 0).Select(c => GuestClusters.Zero(c)),
                GuestClusters.RawEntry(damaged, (1UL << 63) | (1UL << 40)),
            ],
        });
        AssertSame<TextForm>(chain, 0, chain.Length);
        AssertSame<JsonForm>(chain, 0, chain.Length);
        (string text, string? error) = Whole<JsonForm>(chain, 0, chain.Length);
        Assert.NotNull(error);
        Assert.Equal(damaged == 0, text.Length == 0);
    }

    [Fact]
    public void Piece_AsksForNothingTwice()
    {
        // With a host file's holes, or DiscUtils' tables, every question costs.
        FakeTranslator image = new(1 << 20, FakeTranslator.Run(RunKind.Data, 0, 4096, 0), FakeTranslator.Run(RunKind.Data, 8192, 4096, 1 << 16));
        using Qcow2Chain chain = RandomChain(new Random(1));
        using MapPiece<TextForm> piece = new(Request(chain));
        piece.Begin(0, 10_000, image.Length, new ChainTranslator([image]), alone: true);
        Assert.Equal((3, 10_000L), (piece.Runs, piece.End));
        Assert.Equal([0L, 4096, 8192], image.Questions.Select(question => question.GuestOffset));

        piece.Begin(20_000, 30_000, image.Length, new ChainTranslator([image]), alone: true);
        Assert.Equal((1, image.Length), (piece.Runs, piece.End));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(8 * 4096, 1)]
    [InlineData(8 * 4096 * 5, 5)]
    public void TablesOfAllPieces_FitTheMemoryForTables(int cacheBytes, int walks)
    {
        // A walk takes an L2 table of 4 KiB; an eighth of the memory is for walks.
        byte[] image = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = 4 << 20,
            Clusters = [GuestClusters.Zero(3), GuestClusters.Zero(700, count: 40)],
        }.Build().ToBytes();
        using var chain = Qcow2Chain.Open(new MemoryStream(image), new() { LayerCacheBytes = cacheBytes });
        Assert.Equal(walks, chain.Inner.Translator.MostWalks);
        AssertSame<JsonForm>(chain, 0, chain.Length, 1 << 16);
    }

    [Fact]
    public void OutputThatFails_EndsTheWriting()
    {
        using Qcow2Chain chain = RandomChain(new Random(1));
        using FailingStream output = new();
        Assert.Throws<IOException>(() =>
        {
            using Utf8Output text = new(output);
            MapWriter<JsonForm>.Write(Request(chain), 0, chain.Length, text, new MapPlan(512, 4));
        });
    }

    [Fact]
    public void ClosedChain_IsNotMapped()
    {
        Qcow2Chain chain = RandomChain(new Random(1));
        MapEnumerator map = chain.Map();
        chain.Dispose();
        Assert.Throws<ObjectDisposedException>(() => map.WriteText(Stream.Null));
    }

    private static RunRequest Request(Qcow2Chain chain) => new(chain.Inner, RunDetail.Metadata, default);

    private static void AssertSame<TForm>(Qcow2Chain chain, long start, long end, params long[] pieceLengths)
        where TForm : struct, IMapForm
    {
        (string Text, string? Error) whole = Whole<TForm>(chain, start, end);
        foreach (long pieceLength in pieceLengths is [] ? [512, 3 * 512, 10_000, 1 << 20] : pieceLengths)
        {
            foreach (int mostAhead in (int[])[1, 2, 5])
            {
                (string Text, string? Error) pieces = Written(
                    text => MapWriter<TForm>.Write(Request(chain), start, end, text, new MapPlan(pieceLength, mostAhead)));
                Assert.Equal(whole.Text, pieces.Text);
                Assert.Equal(whole.Error, pieces.Error);
            }
        }
    }

    private static (string Text, string? Error) Whole<TForm>(Qcow2Chain chain, long start, long end)
        where TForm : struct, IMapForm
    {
        IEnumerable<HostRun> Runs()
        {
            for (long position = start; position < end;)
            {
                HostRun run = chain.Inner.Translator.Translate(position, end - position);
                position = run.GuestEnd;
                yield return TForm.Of(chain.Inner, run);
            }
        }

        return Written(text => Runs().Write<TForm>(text));
    }

    private static (string Text, string? Error) Written(Action<Utf8Output> write)
    {
        using MemoryStream output = new();
        string? error = null;
        using (Utf8Output text = new(output))
        {
            try
            {
                write(text);
            }
            catch (Qcow2Exception e)
            {
                error = e.Message;
            }
        }

        return (Encoding.UTF8.GetString(output.ToArray()), error);
    }

    private static Qcow2Chain Open(Qcow2Builder image) => Qcow2Chain.Open(new MemoryStream(image.Build().ToBytes()));

    /// <summary>Three layers with clusters of different sizes, holding something of every kind.</summary>
    private static Qcow2Chain RandomChain(Random random)
    {
        long size = 512 * random.Next(1, 2000);
        Stack<byte[]> layers = new();
        foreach (int clusterBits in (int[])[9, 12, 10])
        {
            layers.Push(new Qcow2Builder
            {
                ClusterBits = clusterBits,
                Size = size,
                BackingFile = layers.Count == 0 ? null : "below",
                BackingFormat = layers.Count == 0 ? null : "qcow2",
                Clusters = [.. RandomClusters(random, size >> clusterBits)],
            }.Build().ToBytes());
        }

        return Qcow2Chain.Open(
            new MemoryStream(layers.Pop()),
            new Qcow2OpenOptions { Follow = FollowPolicy.FromResolver(_ => new MemoryStream(layers.Pop())) });
    }

    private static IEnumerable<GuestClusters> RandomClusters(Random random, long clusters)
    {
        for (long first = random.Next(40); first < clusters;)
        {
            int count = (int)Math.Min(random.Next(1, 20), clusters - first);
            yield return random.Next(4) switch
            {
                0 => GuestClusters.Zero(first, count),
                1 => GuestClusters.ZeroAllocated(first, count),
                2 => GuestClusters.Compressed(first, 0x33, count),
                _ => GuestClusters.Data(first, 0x44, count),
            };
            first += count + random.Next(30);
        }
    }

    private sealed class FailingStream : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("full");

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("full");
    }
}
