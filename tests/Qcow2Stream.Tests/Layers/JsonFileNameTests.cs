using System.Text;
using Qcow2Stream.Opening;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

public sealed class JsonFileNameTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    /// <summary>The name, the recorded format, and what is to be opened as what. Where the two last are set, QEMU says the same.</summary>
    public static TheoryData<string, string?, string, string?> Names => new()
    {
        { """{"driver":"qcow2","file":{"driver":"file","filename":"base"}}""", null, "base", "qcow2" },
        { """{"driver":"qcow2","file":{"driver":"file","filename":"base"}}""", "qcow2", "base", "qcow2" },
        { """{"driver":"qcow2","file":{"driver":"file","filename":"base"}}""", "raw", "base", "raw" },
        { """{"driver":"raw","file.driver":"file","file.filename":"base"}""", null, "base", "raw" },
        { """{"driver":"raw","file.driver":"file","file.filename":"base"}""", "qcow2", "base", "qcow2" },
        { """{"file.filename":"base"}""", null, "base", null },
        { """{"file.filename":"base"}""", "qcow2", "base", "qcow2" },
        { """{"file":{"filename":"base"}}""", "raw", "base", "raw" },
        { """{"driver":"file","filename":"base"}""", null, "base", "raw" },
        { """{"driver":"qcow2","file.filename":"base","file.locking":"off","file.aio":"threads","cache.direct":false,"discard":"unmap"}""", null, "base", "qcow2" },
        { """{"driver":"qcow2","file.filename":"base","node-name":"x","read-only":true,"auto-read-only":true}""", null, "base", "qcow2" },
        { """ { "driver" : "\u0071cow2", "file" : { "filename" : "base" } } """, null, "base", "qcow2" },
    };

    public static TheoryData<string, string?, string> BadNames => new()
    {
        { "", null, "not valid JSON" },
        { "{", null, "not valid JSON" },
        { "[1]", null, "not an object" },
        { "{}", null, "has no 'file.filename'" },
        { """{"filename":"base"}""", null, "has no 'file.filename'" },
        { """{"filename":"base"}""", "qcow2", "has no 'file.filename'" },
        { """{"driver":"qcow2"}""", null, "driver 'qcow2' without" },
        { """{"driver":"file"}""", null, "has no 'filename'" },
        { """{"driver":"file","filename":"base"}""", "raw", "has no 'file.filename'" },
        { """{"driver":"file","file.filename":"base"}""", null, "has no 'filename'" },
        { """{"driver":"qcow2","file":"base"}""", null, "without a 'file.filename'" },
        { """{"driver":"qcow2","file.filename":5}""", null, "no text for 'file.filename'" },
        { """{"driver":null,"file.filename":"base"}""", null, "no text for 'driver'" },
        { """{"driver":"qcow2","file.filename":"base","foo":1}""", null, "option 'foo'" },
        { """{"driver":"qcow2","file.filename":"base","backing":null}""", null, "option 'backing'" },
        { """{"driver":"qcow2","file.filename":"base","backing":{"driver":"raw"}}""", null, "option 'backing.driver'" },
        { """{"driver":"raw","offset":512,"file.filename":"base"}""", null, "option 'offset'" },
        { """{"driver":"raw","size":512,"file.filename":"base"}""", "raw", "option 'size'" },
        { """{"driver":"qcow2","file.filename":["base"]}""", null, "option 'file.filename'" },
        { """{"driver":"qcow2","driver":"raw","file.filename":"base"}""", null, "'driver' twice" },
        { """{"driver":"qcow2","file":{"filename":"base"},"file.filename":"other"}""", null, "'file.filename' twice" },
        { """{"driver":"nbd","host":"example.org"}""", null, "driver 'nbd'" },
        { """{"driver":"https","url":"https://example.org/a"}""", "raw", "driver 'https'" },
        { """{"driver":"host_device","filename":"base"}""", null, "driver 'host_device'" },
        { """{"driver":"qcow2","file":{"driver":"host_device","filename":"base"}}""", null, "driver 'host_device'" },
        { """{"driver":"qcow2","file":{"driver":"nbd","host":"example.org"}}""", null, "without a 'file.filename'" },
        { """{"driver":"qcow2","file":{"driver":"raw","file":{"driver":"file","filename":"base"}}}""", null, "without a 'file.filename'" },
        { """{"driver":"qcow2","file.filename":"json:{}"}""", null, "another json: name" },
        { """{"driver":"qcow2","file.filename":"base"} x""", null, "not valid JSON" },
        { """{'driver':'qcow2','file.filename':'base'}""", null, "not valid JSON" },
        { """{"driver":"qcow2","file.filename":"\ud800"}""", null, "not valid JSON" },
        { """{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}}}}}}}}}""", null, "not valid JSON" },
    };

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void GoodName_SaysFileAndFormat(string json, string? recorded, string file, string? format)
    {
        Assert.Null(Parse(json, recorded, out JsonFileName name));
        Assert.Equal(new JsonFileName(file, format), name);
    }

    [Theory]
    [MemberData(nameof(BadNames))]
    public void BadName_SaysWhy(string json, string? recorded, string expected)
    {
        Assert.Contains(expected, Parse(json, recorded, out JsonFileName name), StringComparison.Ordinal);
        Assert.Equal(default, name);
    }

    [Fact]
    public void InvalidUtf8_IsNoName()
    {
        byte[] name = [.. "json:{\"file.filename\":\"a"u8, 0xFF, .. "\"}"u8];
        Assert.Contains("not valid JSON", JsonFileName.Parse(name, null, Qcow2OpenOptions.Default.MaxJsonDepth, out _), StringComparison.Ordinal);
    }

    [QemuTheory]
    [MemberData(nameof(Names))]
    public async Task GoodName_OpensWhatQemuOpens(string json, string? recorded, string file, string? format)
    {
        await MakeBase(file, isQcow2: format != "raw" || recorded == "raw");
        string top = MakeTop(json, recorded);

        // QEMU takes a relative name in it from the current directory; here it is taken from the image's.
        Assert.Equal(await Qemu.ImgIn(_scratch.Path, "map", "--output=json", top), AgainstQemu.JsonMap(top));
        await AgainstQemu.BytesAreEqual(top, _scratch);
    }

    [QemuFact]
    public async Task FileNameInside_IsLiteral()
    {
        await MakeBase("file:base", isQcow2: true);
        string top = MakeTop("""{"driver":"qcow2","file.filename":"file:base"}""", null);
        await AgainstQemu.BytesAreEqual(top, _scratch);
        await AgainstQemu.MapIsEqual(top, _scratch);
    }

    [Theory]
    [InlineData("../outside", "lies outside")]
    [InlineData("/etc/hostname", "lies outside")]
    [InlineData("", "name is empty")]
    [InlineData("a\\u0000b", "control character")]
    [InlineData("missing", "does not exist")]
    public void FileNameInside_PassesTheSameGate(string name, string expected)
    {
        string top = MakeTop($$"""{"driver":"raw","file.filename":"{{name}}"}""", null);
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(top));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Driver_CountsAsRecordedFormat()
    {
        new Qcow2Builder { Size = 65536, BackingFile = "below", BackingFormat = "raw" }.Build().WriteTo(_scratch.File("base"));
        _scratch.Write("below", new byte[512]);
        using (Qcow2Chain chain = Qcow2Chain.Open(MakeTop("""{"driver":"qcow2","file.filename":"base"}""", null)))
        {
            Assert.Equal(3, chain.Layers.Count);
        }

        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(MakeTop("""{"file.filename":"base"}""", null)));
    }

    [Fact]
    public void Resolver_IsToldTheFileInside()
    {
        NamedFile? told = null;
        Qcow2OpenOptions options = new()
        {
            Follow = FollowPolicy.FromResolver(file =>
            {
                told = file;
                return new MemoryStream(new byte[512]);
            }),
        };
        using Qcow2Chain chain = Qcow2Chain.Open(MakeTop("""{"driver":"raw","file.filename":"base"}""", null), options);
        Assert.Equal(("base", "raw"), (told!.Value.Name, told.Value.Format));
    }

    [Fact]
    public void Info_ShowsThePathInside()
    {
        ImageInfo info = ImageInfo.Read(MakeTop("""{"driver":"raw","file.filename":"base"}""", null));
        Assert.Equal("""json:{"driver":"raw","file.filename":"base"}""", info.BackingFile);
        Assert.Equal(_scratch.File("base"), info.FullBackingFile);
        ImageInfo odd = ImageInfo.Read(MakeTop("""{"driver":"nbd"}""", null));
        Assert.Null(odd.FullBackingFile);
        new[] { odd }.WriteJson(Stream.Null, asArray: false);
        new[] { odd }.WriteText(Stream.Null);
    }

    private static string? Parse(string json, string? recorded, out JsonFileName name) =>
        JsonFileName.Parse(Encoding.UTF8.GetBytes("json:" + json), recorded, Qcow2OpenOptions.Default.MaxJsonDepth, out name);

    private string MakeTop(string json, string? format)
    {
        string path = _scratch.File("top.qcow2");
        new Qcow2Builder { Size = 1 << 20, BackingFile = "json:" + json, BackingFormat = format }.Build().WriteTo(path);
        return path;
    }

    private async Task MakeBase(string name, bool isQcow2)
    {
        string plain = _scratch.File("plain");
        await Qemu.Img("create", "-f", isQcow2 ? "qcow2" : "raw", plain, "512k");
        await Qemu.Io(plain, isQcow2 ? "qcow2" : "raw", "write -P 17 64k 128k");
        File.Move(plain, _scratch.File(name));
    }
}
