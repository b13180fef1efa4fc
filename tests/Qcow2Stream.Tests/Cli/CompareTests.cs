using System.Text.Json;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

/// <summary>Two disks, compared on the command line as <c>qemu-img compare</c> does it.</summary>
public sealed class CompareTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [InlineData("chain-3.qcow2")]
    [InlineData("zlib.qcow2")]
    [InlineData("extended-l2.qcow2")]
    public async Task CopyOfQemu_IsTheSame(string image)
    {
        string raw = _scratch.File("copy.raw");
        await Qemu.Img("convert", "-O", "raw", Repository.Image(image), raw);
        Assert.Equal(new QemuResult(0, "the disks are the same\n", ""), await Qcow2Tool.Run("compare", Repository.Image(image), raw));
    }

    /// <summary>The lines are those of dump-map from the byte on.</summary>
    [QemuFact]
    public async Task FirstDifference_IsToldWithItsPlaceOnBothSides()
    {
        string image = Repository.Image("chain-3.qcow2");
        string raw = _scratch.File("copy.raw");
        await Qemu.Img("convert", "-O", "raw", image, raw);
        byte[] bytes = File.ReadAllBytes(raw);
        const int At = 21_000;
        bytes[At] ^= 0xFF;
        File.WriteAllBytes(raw, bytes);
        QemuResult qemu = await Qemu.ImgRaw("compare", "-F", "raw", image, raw);
        Assert.Equal((1, $"Content mismatch at offset {At / 512 * 512}!\n"), (qemu.ExitCode, qemu.Output));

        string[] map = (await Qcow2Tool.Run("dump-map", "--start", $"{At}", image)).Output.Split('\n');
        QemuResult result = await Qcow2Tool.Run("compare", image, raw);
        Assert.Equal((1, ""), (result.ExitCode, result.Error));
        Assert.Equal(
            $"the first difference is at {At}\n{image}: 0x{bytes[At] ^ 0xFF:x2} there\n{map[0]}\n{raw}: 0x{bytes[At]:x2} there\n{At} {bytes.Length - At} 0 {At}\n",
            result.Output);
    }

    [Fact]
    public async Task Json_HasTheSame()
    {
        QemuResult result = await Qcow2Tool.Run(
            "compare", "--output", "json", Repository.Image("chain-3.qcow2"), Repository.Image("chain-2.qcow2"));
        Assert.Equal((1, ""), (result.ExitCode, result.Error));
        using JsonDocument json = JsonDocument.Parse(result.Output);
        Assert.False(json.RootElement.GetProperty("same").GetBoolean());
        long offset = json.RootElement.GetProperty("offset").GetInt64();
        foreach (string side in new[] { "a", "b" })
        {
            JsonElement place = json.RootElement.GetProperty(side);
            Assert.Equal(offset, place.GetProperty("start").GetInt64());
            Assert.InRange(place.GetProperty("length").GetInt64(), 1, long.MaxValue);
        }

        using JsonDocument same = JsonDocument.Parse(
            (await Qcow2Tool.Run("compare", "--output", "json", Repository.Image("v2.qcow2"), Repository.Image("v2.qcow2"))).Output);
        Assert.True(same.RootElement.GetProperty("same").GetBoolean());
        Assert.False(same.RootElement.TryGetProperty("offset", out _));
    }

    /// <summary>The rest of the larger disk is zeros, which counts only if asked for.</summary>
    [Fact]
    public async Task Sizes_CountIfStrict()
    {
        string small = _scratch.Write("small.qcow2", Disk(4, GuestClusters.Data(1, 9)));
        string large = _scratch.Write("large.qcow2", Disk(8, GuestClusters.Data(1, 9)));
        const string Sizes = "the sizes differ: 262144 and 524288 bytes\n";
        Assert.Equal(new QemuResult(0, Sizes + "the disks are the same\n", ""), await Qcow2Tool.Run("compare", small, large));
        Assert.Equal(
            new QemuResult(1, Sizes + "what both have is the same, and the rest is zeros\n", ""),
            await Qcow2Tool.Run("compare", "--strict", small, large));

        string longer = _scratch.Write("longer.qcow2", Disk(8, GuestClusters.Data(1, 9), GuestClusters.Data(6, 5)));
        QemuResult result = await Qcow2Tool.Run("compare", small, longer);
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"{Sizes}the first difference is at 393216\n{small}: it ends before that\n{longer}: 0x05 there\n393216 65536 0 ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Snapshots_AreComparedWithTheActiveDisk()
    {
        string image = Repository.Image("snapshots.qcow2");
        Assert.Equal(0, (await Qcow2Tool.Run("compare", image, image)).ExitCode);
        QemuResult changed = await Qcow2Tool.Run("compare", image, image, "--snapshot-a", "first", "--snapshot-b", "second");
        Assert.Equal(1, changed.ExitCode);
        Assert.Contains("the first difference is at ", changed.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Qcow2Tool.Run("compare", image, image, "--snapshot-a", "first", "--snapshot-b", "first")).ExitCode);
    }

    /// <summary>1 says that they differ, so trouble is 2.</summary>
    [Fact]
    public async Task ImageThatCanNotBeRead_IsTrouble()
    {
        Assert.Equal(2, (await Qcow2Tool.Run("compare", Repository.Image("v2.qcow2"), _scratch.File("none"))).ExitCode);
        Assert.Equal(2, (await Qcow2Tool.Run("compare", Repository.Image("v2.qcow2"))).ExitCode);
    }

    private static byte[] Disk(int clusters, params GuestClusters[] content) =>
        new Qcow2Builder { Size = clusters << 16, Clusters = content }.Build().ToBytes();
}
