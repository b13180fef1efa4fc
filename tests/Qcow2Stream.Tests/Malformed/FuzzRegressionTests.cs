using Qcow2Stream.Fuzz;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>The fuzzer's harnesses over what it starts from, and over what it once found.</summary>
public class FuzzRegressionTests
{
    private static readonly string Regressions = Path.Combine(Repository.Root, "tests", "Qcow2Stream.Fuzz", "Regressions");

    public static TheoryData<string> Harnesses => [.. HarnessList.Names];

    [Theory]
    [MemberData(nameof(Harnesses))]
    public void Seeds_BreakNothing(string harness)
    {
        IHarness made = HarnessList.Make(harness)!;
        KeyValuePair<string, byte[]>[] seeds = [.. made.Seeds];
        Assert.NotEmpty(seeds);
        Assert.Distinct(seeds.Select(seed => seed.Key));
        Assert.All(seeds, seed => Execution.Run(made, seed.Value));

        // Nor does what is left when they are cut, in the same harness, which keeps nothing of an input.
        Assert.All(seeds, seed => Execution.Run(made, seed.Value[..(seed.Value.Length / 2)]));
        Assert.All(seeds, seed => Execution.Run(made, seed.Value));
        Execution.Run(made, Array.Empty<byte>());
    }

    [Theory]
    [MemberData(nameof(Harnesses))]
    public void WhatFuzzingFound_BreaksNothing(string harness)
    {
        string folder = Path.Combine(Regressions, harness);
        IHarness made = HarnessList.Make(harness)!;
        Assert.All(
            Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [],
            path => Execution.Run(made, File.ReadAllBytes(path)));
    }

    [Fact]
    public void EveryFolderOfRegressions_HasItsHarness() =>
        Assert.Subset(
            HarnessList.Names.ToHashSet(),
            Directory.EnumerateDirectories(Regressions).Select(path => Path.GetFileName(path)!).ToHashSet());

    [Fact]
    public void MoreMemoryThanAllowed_IsFound()
    {
        Execution.Run(new GreedyHarness(60 << 20), Array.Empty<byte>());
        Assert.Throws<BrokenInvariantException>(() => Execution.Run(new GreedyHarness(70 << 20), Array.Empty<byte>()));
    }

    private sealed class GreedyHarness(int bytes) : IHarness
    {
        public string Name => "greedy";

        public IEnumerable<KeyValuePair<string, byte[]>> Seeds => [];

        public void Run(ArraySegment<byte> input) => GC.KeepAlive(new byte[bytes]);
    }
}
