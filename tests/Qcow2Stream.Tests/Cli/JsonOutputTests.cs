using System.Text.Json;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Infrastructure;
using Shared;

namespace Qcow2Stream.Tests.Cli;

/// <summary>Whatever a command says as text it says as JSON too, and the same.</summary>
public sealed class JsonOutputTests
{
    [Theory]
    [InlineData("dump-map", "chain-3.qcow2")]
    [InlineData("dump-map", "empty.qcow2")]
    [InlineData("info", "snapshots.qcow2")]
    [InlineData("info", "--backing-chain", "chain-3.qcow2")]
    [InlineData("check", "v2.qcow2")]
    [InlineData("df", "ext4.qcow2")]
    [InlineData("dump-header", "snapshots.qcow2")]
    [InlineData("dump-header", "data-file.qcow2")]
    [InlineData("inspect", "zlib.qcow2")]
    [InlineData("ls", "ext4.qcow2")]
    [InlineData("changes", "snapshots.qcow2", "--from", "snapshot:first")]
    [InlineData("changes", "snapshots.qcow2", "--from", "active")]
    [InlineData("dump-map", "bitmaps.qcow2", "--bitmap", "fine")]
    public async Task EveryOutput_IsOneJsonValue(params string[] arguments)
    {
        using JsonDocument _ = await Json([.. arguments.Select(a => a.EndsWith(".qcow2", StringComparison.Ordinal) ? Repository.Image(a) : a)]);
    }

    [Fact]
    public async Task DumpHeader_HasTheNumbersOfTheText()
    {
        string image = Repository.Image("data-file.qcow2");
        using JsonDocument json = await Json("dump-header", image);
        Qcow2Header header;
        using (var chain = Qcow2Chain.Open(image))
        {
            header = chain.Layers[0].Header!;
        }

        JsonElement root = json.RootElement;
        Assert.Equal(header.L1TableOffset, root.GetProperty("l1_table_offset").GetInt64());
        Assert.Equal((uint)header.Version, root.GetProperty("version").GetUInt32());
        Assert.Equal((long)header.IncompatibleFeatures, root.GetProperty("incompatible_features").GetInt64());
        Assert.Equal(
            [(2, "external data file")],
            root.GetProperty("incompatible_features_set").EnumerateArray().Select(b => (b.GetProperty("bit").GetInt32(), b.GetProperty("name").GetString()!)));
        JsonElement name = Assert.Single(root.GetProperty("extensions").EnumerateArray(), e => e.GetProperty("name").GetString()!.Contains("data file", StringComparison.OrdinalIgnoreCase));
        Assert.Equal("data-file.raw", name.GetProperty("data").GetString());
    }

    [Fact]
    public async Task Changes_AreThoseOfTheText()
    {
        string[] arguments = ["changes", Repository.Image("snapshots.qcow2"), "--from", "snapshot:first"];
        using JsonDocument json = await Json(arguments);
        string[] lines = (await Qcow2Tool.Run(arguments)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.Equal(
            lines.Select(line => string.Join(' ', line.Split(' ')[..2])),
            json.RootElement.EnumerateArray().Select(e => $"{e.GetProperty("start")} {e.GetProperty("length")}"));
    }

    [Fact]
    public async Task Ls_HasTheGuestsNamesSizesAndTargets()
    {
        string[] arguments = ["ls", "-R", GuestImages.Disk("ext4"), "/"];
        using JsonDocument json = await Json(arguments);
        string[] lines = (await Qcow2Tool.Run(arguments)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        JsonElement[] entries = [.. json.RootElement.EnumerateArray()];
        Assert.Equal(lines, entries.Select(e => PrintableText.Escape(e.GetProperty("name").GetString()!)));
        Assert.Contains(entries, e => e.GetProperty("kind").GetString() == "link" && e.GetProperty("target").GetString()!.Length > 0);
        Assert.Contains(entries, e => e.GetProperty("kind").GetString() == "directory" && e.GetProperty("mode").GetString() == "0755");
        Assert.All(entries, e => Assert.InRange(e.GetProperty("size").GetInt64(), 0, long.MaxValue));
    }

    private static async Task<JsonDocument> Json(params string[] arguments)
    {
        QemuResult result = await Qcow2Tool.Run([.. arguments, "--output", "json"]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.EndsWith("\n", result.Output, StringComparison.Ordinal);
        return JsonDocument.Parse(result.Output);
    }
}
