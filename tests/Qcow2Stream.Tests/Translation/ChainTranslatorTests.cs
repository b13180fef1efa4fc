using Qcow2Stream.Translation;

namespace Qcow2Stream.Tests.Translation;

public class ChainTranslatorTests
{
    [Fact]
    public async Task AllocatedInTheTop_AsksNobodyElse()
    {
        FakeTranslator top = new(1000, FakeTranslator.Run(RunKind.Data, 0, 1000, hostOffset: 5000));
        FakeTranslator below = new(1000);
        HostRun run = await Translate([top, below], 100, 200);
        Assert.Equal((RunKind.Data, 0, 100L, 200L, 5100L), (run.Kind, run.Depth, run.GuestOffset, run.Length, run.HostOffset));
        Assert.Empty(below.Questions);
    }

    [Fact]
    public async Task ZeroInTheTop_HidesWhatIsBelow()
    {
        FakeTranslator top = new(1000, FakeTranslator.Run(RunKind.Zero, 0, 1000));
        FakeTranslator below = new(1000, FakeTranslator.Run(RunKind.Data, 0, 1000, hostOffset: 0));
        HostRun run = await Translate([top, below], 0, 1000);
        Assert.Equal((RunKind.Zero, 0), (run.Kind, run.Depth));
        Assert.Empty(below.Questions);
    }

    [Theory]
    [InlineData((int)RunKind.Data)]
    [InlineData((int)RunKind.Zero)]
    [InlineData((int)RunKind.Compressed)]
    [InlineData((int)RunKind.Hole)]
    public async Task UnallocatedInTheTop_AsksDownToTheFirstAnswer(int kind)
    {
        FakeTranslator top = new(1000);
        FakeTranslator middle = new(1000);
        FakeTranslator bottom = new(1000, FakeTranslator.Run((RunKind)kind, 0, 1000, hostOffset: 7000));
        FakeTranslator deeper = new(1000);
        HostRun run = await Translate([top, middle, bottom, deeper], 10, 900);
        Assert.Equal(((RunKind)kind, 2, 10L, 900L, 7010L), (run.Kind, run.Depth, run.GuestOffset, run.Length, run.HostOffset));
        Assert.Empty(deeper.Questions);
    }

    [Fact]
    public async Task LayerBelow_IsAskedForNoMoreThanTheUpperRun()
    {
        FakeTranslator top = new(1000, FakeTranslator.Run(RunKind.Data, 300, 100, hostOffset: 0));
        FakeTranslator middle = new(1000, FakeTranslator.Run(RunKind.Data, 250, 500, hostOffset: 0));
        FakeTranslator bottom = new(1000, FakeTranslator.Run(RunKind.Data, 0, 1000, hostOffset: 0));
        HostRun run = await Translate([top, middle, bottom], 100, 900);
        Assert.Equal((RunKind.Data, 2, 100L, 150L), (run.Kind, run.Depth, run.GuestOffset, run.Length));
        Assert.All(middle.Questions, question => Assert.Equal((100L, 200L), question));
        Assert.All(bottom.Questions, question => Assert.Equal((100L, 150L), question));
    }

    [Fact]
    public async Task ShorterLayerBelow_IsAskedUpToItsEnd()
    {
        FakeTranslator top = new(1000);
        FakeTranslator below = new(600, FakeTranslator.Run(RunKind.Data, 0, 600, hostOffset: 0));
        HostRun run = await Translate([top, below], 500, 500);
        Assert.Equal((RunKind.Data, 1, 500L, 100L), (run.Kind, run.Depth, run.GuestOffset, run.Length));
    }

    [Theory]
    [InlineData(600)]
    [InlineData(999)]
    public async Task BehindTheEndOfAShorterLayer_TheLayerAboveAnswers(long guestOffset)
    {
        // The one at the bottom is long enough again, and must not shine through.
        FakeTranslator top = new(1000);
        FakeTranslator below = new(600);
        FakeTranslator bottom = new(1000, FakeTranslator.Run(RunKind.Data, 0, 1000, hostOffset: 0));
        HostRun run = await Translate([top, below, bottom], guestOffset, 1000 - guestOffset);
        Assert.Equal((RunKind.Unallocated, 0, guestOffset, 1000 - guestOffset), (run.Kind, run.Depth, run.GuestOffset, run.Length));
        Assert.Empty(below.Questions);
        Assert.Empty(bottom.Questions);
    }

    [Fact]
    public async Task LongerLayerBelow_IsNotAskedBehindTheUpperOnesEnd()
    {
        FakeTranslator top = new(1000);
        FakeTranslator below = new(5000, FakeTranslator.Run(RunKind.Data, 0, 5000, hostOffset: 0));
        HostRun run = await Translate([top, below], 900, 100);
        Assert.Equal(100, run.Length);
    }

    [Fact]
    public async Task EmptyLayerBelow_IsNeverAsked()
    {
        FakeTranslator top = new(1000);
        FakeTranslator below = new(0);
        HostRun run = await Translate([top, below], 0, 1000);
        Assert.Equal((RunKind.Unallocated, 0, 1000L), (run.Kind, run.Depth, run.Length));
    }

    [Fact]
    public async Task UnallocatedEverywhere_IsTheDeepestLayers()
    {
        HostRun run = await Translate([new(1000), new(1000), new(800)], 100, 900);
        Assert.Equal((RunKind.Unallocated, 2, 100L, 700L), (run.Kind, run.Depth, run.GuestOffset, run.Length));
    }

    [Fact]
    public async Task SmallerTablesBelow_OnlyShortenTheRun()
    {
        FakeTranslator top = new(1000) { TableCoverage = 400 };
        FakeTranslator below = new(1000, FakeTranslator.Run(RunKind.Data, 0, 1000, hostOffset: 0)) { TableCoverage = 100 };
        HostRun run = await Translate([top, below], 350, 650);
        Assert.Equal(50, run.Length);
        run = await Translate([top, below], 400, 600);
        Assert.Equal(100, run.Length);
    }

    [Fact]
    public void Length_IsTheTopsOwn()
    {
        Assert.Equal(1000, new ChainTranslator([new FakeTranslator(1000), new FakeTranslator(5000)]).Length);
        Assert.Equal(0, new ChainTranslator([new FakeTranslator(0)]).Length);
    }

    [Fact]
    public void RandomChains_AgreeWithAskingByteByByte()
    {
        Random random = new(1);
        for (int round = 0; round < 300; round++)
        {
            FakeTranslator[] images = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => RandomImage(random))];
            ChainTranslator chain = new(images);
            for (long position = 0; position < chain.Length;)
            {
                HostRun run = chain.Translate(position, random.NextInt64(1, chain.Length - position + 1));
                Assert.InRange(run.Length, 1, chain.Length - position);
                for (long at = position; at < run.GuestEnd; at++)
                {
                    Assert.Equal(AskSlowly(images, at), (run.Kind, run.Depth, run.HasHostOffset ? run.HostOffset + at - position : HostRun.Nowhere));
                }

                position = run.GuestEnd;
            }
        }
    }

    private static (RunKind Kind, int Depth, long HostOffset) AskSlowly(FakeTranslator[] images, long guestOffset)
    {
        int depth = 0;
        while (true)
        {
            HostRun run = images[depth].Translate(guestOffset, 1, RunDetail.Metadata);
            if (run.Kind != RunKind.Unallocated || depth == images.Length - 1 || guestOffset >= images[depth + 1].Length)
            {
                return (run.Kind, depth, run.HostOffset);
            }

            depth++;
        }
    }

    private static FakeTranslator RandomImage(Random random)
    {
        List<HostRun> runs = [];
        for (long position = random.Next(10); position < 60; position += random.Next(1, 10))
        {
            HostRun run = FakeTranslator.Run(random.Next(2) == 0 ? RunKind.Data : RunKind.Zero, position, random.Next(1, 10), random.Next(1000));
            runs.Add(run);
            position = run.GuestEnd;
        }

        return new FakeTranslator(random.Next(1, 80), [.. runs]) { TableCoverage = random.Next(1, 40) };
    }

    private static async Task<HostRun> Translate(FakeTranslator[] images, long guestOffset, long maxLength)
    {
        ChainTranslator chain = new(images);
        HostRun run = chain.Translate(guestOffset, maxLength);
        Assert.Equal(run, await chain.TranslateAsync(guestOffset, maxLength, RunDetail.Metadata, default));
        return run;
    }
}
