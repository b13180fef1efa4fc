using System.Text.Json.Nodes;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

/// <summary>info says what qemu-img info says, field by field.</summary>
public sealed class InfoTests
{
    public static TheoryData<string> Images =>
    [
        "v2.qcow2", "v3-512.qcow2", "zstd.qcow2", "zlib.qcow2", "empty.qcow2", "odd-size.qcow2", "no-format-raw.qcow2",
        "chain-3.qcow2", "chain-0.raw", "extended-l2.qcow2", "data-file.qcow2", "snapshots.qcow2", "bitmaps.qcow2",
        "aes.qcow2",
    ];

    [QemuTheory]
    [MemberData(nameof(Images))]
    public Task Json_HasTheFieldsOfQemu(string image) => CompareJson(Repository.Image(image));

    [QemuFact]
    public async Task LuksImage_HasTheFieldsOfQemu()
    {
        using TempDirectory scratch = new();
        string path = Repository.UnpackImage("luks.qcow2", scratch);
        await CompareJson(path);
        Assert.Equal(await Qemu.Img("info", path), (await Qcow2Tool.Run("info", path)).Output);
    }

    [QemuFact]
    public async Task JsonOfAChain_HasTheImagesOfQemu()
    {
        string path = Repository.Image("chain-3.qcow2");
        JsonNode? expected = JsonNode.Parse(await Qemu.Img("info", "--backing-chain", "--output=json", path));
        QemuResult actual = await Qcow2Tool.Run("info", "--backing-chain", "--output", "json", path);
        AssertSame(expected, JsonNode.Parse(actual.Output));
    }

    [QemuTheory]
    [MemberData(nameof(Images))]
    public async Task Text_HasTheLinesOfQemu(string image)
    {
        string path = Repository.Image(image);
        QemuResult actual = await Qcow2Tool.Run("info", path);
        Assert.Equal(await Qemu.ImgIn(Path.GetDirectoryName(path)!, "info", path), actual.Output);
    }

    private static async Task CompareJson(string path)
    {
        // QEMU looks for a data file's name in the current directory.
        JsonNode? expected = JsonNode.Parse(await Qemu.ImgIn(Path.GetDirectoryName(path)!, "info", "--output=json", path));
        QemuResult actual = await Qcow2Tool.Run("info", "--output", "json", path);
        AssertSame(expected, JsonNode.Parse(actual.Output));
    }

    private static void AssertSame(JsonNode? expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(expected, actual), $"expected:\n{expected}\nactual:\n{actual}");
}
