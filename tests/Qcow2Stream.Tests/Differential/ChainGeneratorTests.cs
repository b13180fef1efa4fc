namespace Qcow2Stream.Tests.Differential;

public class ChainGeneratorTests
{
    private static readonly ChainPlan[] Plans = [.. Enumerable.Range(1, 400).Select(ChainGenerator.Create)];

    private static IEnumerable<LayerPlan> Layers => Plans.SelectMany(p => p.Layers);

    [Fact]
    public void SameSeed_SameChain() =>
        Assert.Equal(ChainGenerator.Create(7).ToString(), ChainGenerator.Create(7).ToString());

    [Fact]
    public void ManySeeds_EveryDepth() =>
        Assert.Equal([1, 2, 3, 4, 5, 6], Plans.Select(p => p.Layers.Count).Distinct().Order());

    [Fact]
    public void ManySeeds_EveryClusterSize() =>
        Assert.Equal(
            Enumerable.Range(9, 13).Select(bits => 1 << bits),
            Layers.Where(l => !l.IsRaw).Select(l => l.ClusterSize).Distinct().Order());

    [Theory]
    [InlineData("compat=0.10")]
    [InlineData("compression_type=zstd")]
    [InlineData("lazy_refcounts=on")]
    [InlineData("refcount_bits=1,")]
    [InlineData("refcount_bits=64")]
    [InlineData("extended_l2=on")]
    [InlineData("data_file=")]
    [InlineData("data_file_raw=on")]
    [InlineData("encrypt.format=aes")]
    [InlineData("encrypt.format=luks")]
    public void ManySeeds_EveryOption(string option) =>
        Assert.Contains(Layers, l => l.Options.Contains(option, StringComparison.Ordinal));

    [Theory]
    [InlineData("write -P")]
    [InlineData("write -s")]
    [InlineData("write -z -u")]
    [InlineData("write -c -P")]
    [InlineData("write -c -s")]
    [InlineData("discard")]
    public void ManySeeds_EveryCommand(string command) =>
        Assert.Contains(Layers, l => !l.IsRaw && l.Commands.Any(c => c.StartsWith(command, StringComparison.Ordinal)));

    [Fact]
    public void ManySeeds_EveryShapeOfLayer()
    {
        Assert.Contains(Layers, l => l.IsRaw && l.Length % 512 != 0);
        Assert.Contains(Layers, l => l.IsRaw && l.Length == 0);
        Assert.Contains(Layers, l => !l.IsRaw && l.Length == 0);
        Assert.Contains(Layers, l => !l.IsRaw && l.Length % l.ClusterSize != 0);
        Assert.Contains(Layers, l => !l.RecordsBackingFormat);
        Assert.Contains(Layers, l => l.SizeExcess > 0);
        Assert.Contains(Plans, p => p.Top.SnapshotAfter > 0);
        Assert.Contains(Plans, p => p.Layers.Zip(p.Layers.Skip(1)).Any(pair => pair.First.Length > pair.Second.Length));
        Assert.Contains(Plans, p => p.Layers.Zip(p.Layers.Skip(1)).Any(pair => pair.First.Length < pair.Second.Length));
    }

    [Fact]
    public void ManySeeds_EveryFormOfBackingName()
    {
        Assert.Contains(Layers, l => l.BackingName is { } name && name.StartsWith("file:$PWD/", StringComparison.Ordinal));
        Assert.Contains(Layers, l => l.BackingName is { } name && name.StartsWith("file:layer", StringComparison.Ordinal));
        Assert.Contains(Layers, l => l.BackingName is { } name && name.StartsWith("$PWD/", StringComparison.Ordinal));
        Assert.Contains(Layers, l => l.BackingName is { } name && name.StartsWith("layer", StringComparison.Ordinal));
    }
}
