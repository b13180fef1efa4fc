using System.Text.Json.Nodes;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

/// <summary>info says what qemu-img info says, field by field.</summary>
public sealed class InfoTests
{
    public static TheoryData<string> Images =>
        ["v2.qcow2", "v3-512.qcow2", "zstd.qcow2", "zlib.qcow2", "empty.qcow2", "odd-size.qcow2", "no-format-raw.qcow2", "chain-3.qcow2", "chain-0.raw"];

    [QemuTheory]
    [MemberData(nameof(Images))]
    public async Task Json_HasTheFieldsOfQemu(string image)
    {
        string path = Repository.Image(image);
        JsonNode? expected = JsonNode.Parse(await Qemu.Img("info", "--output=json", path));
        QemuResult actual = await Qcow2Tool.Run("info", "--output", "json", path);
        AssertSame(expected, JsonNode.Parse(actual.Output));
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
        Assert.Equal(await Qemu.Img("info", path), actual.Output);
    }

    private static void AssertSame(JsonNode? expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(expected, actual), $"expected:\n{expected}\nactual:\n{actual}");
}
