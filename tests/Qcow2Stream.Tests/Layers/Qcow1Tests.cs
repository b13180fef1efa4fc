using Qcow2Stream.Tests.Differential;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

public sealed class Qcow1Tests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void MadeImage_ReadsAsItWasMade()
    {
        Qcow1Image image = Qcow1Image.Make();
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image.Bytes));
        byte[] disk = new byte[chain.Length];
        chain.ReadAt(0, disk);
        Assert.Equal(image.Content, disk);
        Assert.Equal((ImageFormat.Qcow1, "qcow"), (chain.Layers[0].Format, chain.Layers[0].FormatName));
        Assert.Null(chain.Layers[0].Header);
        Assert.Equal(
            [MapKind.Data, MapKind.Unallocated, MapKind.Compressed, MapKind.Unallocated, MapKind.Data],
            chain.Map().Select(e => e.Kind));
    }

    [Fact]
    public void L2TableThatEndsTheFile_IsRead()
    {
        Qcow1Image made = Qcow1Image.Make();
        int table = (int)made.Bytes.ReadU64(made.L1Offset);
        const int TableLength = 8 << Qcow1Image.L2Bits;
        byte[] moved = [.. made.Bytes, .. made.Bytes.AsSpan(table, TableLength)];
        moved.WriteU64(made.L1Offset, (ulong)made.Bytes.Length);
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(moved));
        Assert.Equal(made.Content, chain.ReadWholeDisk());
    }

    [QemuFact]
    public async Task MadeImage_IsWhatQemuReads()
    {
        string path = _scratch.Write("made.qcow", Qcow1Image.Make().Bytes);
        await AgainstQemu.BytesAreEqual(path, _scratch);
        await AgainstQemu.MapIsEqual(path, _scratch);
    }

    [QemuTheory]
    [InlineData("64M")]
    [InlineData("5000K")]
    [InlineData("1536")]
    [InlineData("3G")]
    public async Task WrittenImage_ReadsAndMapsAsInQemu(string size)
    {
        string path = _scratch.File("disk.qcow");
        await Qemu.Img("create", "-f", "qcow", path, size);
        bool isLarge = size is "64M" or "3G";
        string[] writes = isLarge
            ? ["write -P 1 0 10k", "write -P 2 1M 300k", "write -P 3 20M 64k", "write -P 4 63M 1M"]
            : ["write -P 1 0 1k"];
        await Qemu.Io(path, "qcow", writes);
        await AgainstQemu.MapIsEqual(path, _scratch);
        if (size != "3G")
        {
            await AgainstQemu.BytesAreEqual(path, _scratch);
        }
    }

    /// <summary>AES counts the guest's sectors, and knows no wrong passphrase.</summary>
    [QemuFact]
    public async Task EncryptedImage_ReadsAndMapsAsInQemu()
    {
        string[] secret = ["--object", "secret,id=key,data=sesame"];
        string path = _scratch.File("encrypted.qcow");
        string raw = _scratch.File("encrypted.raw");
        string[] image = [.. secret, "--image-opts", $"driver=qcow,encrypt.key-secret=key,file.filename={path}"];
        await Qemu.Img(["create", "-q", "-f", "qcow", .. secret, "-o", "encrypt.format=aes,encrypt.key-secret=key", path, "1M"]);
        await Qemu.IoWithArguments(_scratch.Path, [.. image, "-c", "write -P 7 1000 9000", "-c", "write -P 8 300k 20k"]);
        await Qemu.Img(["convert", .. image, "-O", "raw", raw]);

        using Qcow2Chain chain = Qcow2Chain.Open(path, new Qcow2OpenOptions { Passphrase = _ => "sesame"u8.ToArray() });
        Assert.Equal(await File.ReadAllBytesAsync(raw), chain.ReadWholeDisk());
        Assert.Equal(
            await Qemu.Img(["map", "--output=json", .. image]),
            MapText.Json(chain).Replace(", \"compressed\": false", "", StringComparison.Ordinal));
        Assert.Equal(new EncryptionInfo { Method = Qcow2EncryptionMethod.Aes }, ImageInfo.Read(path).Encryption);

        using Qcow2Chain closed = Qcow2Chain.Open(path);
        Assert.Throws<PassphraseException>(() => closed.ReadAt(0, new byte[1]));
    }

    [QemuFact]
    public async Task CompressedImage_ReadsAndMapsAsInQemu()
    {
        string raw = _scratch.File("disk.raw");
        byte[] content = new byte[5_000_192];
        new Random(7).NextBytes(content.AsSpan(100_000, 200_000));
        for (int i = 1_000_000; i < 4_000_000; i++)
        {
            content[i] = (byte)(i / 900);
        }

        await File.WriteAllBytesAsync(raw, content);
        string path = _scratch.File("disk.qcow");

        // qemu-img ends in an error here, because the format has nothing to write at the end; but the image is complete.
        await Qemu.ImgRaw("convert", "-f", "raw", "-O", "qcow", "-c", raw, path);
        using (Qcow2Chain chain = Qcow2Chain.Open(path))
        {
            byte[] disk = new byte[chain.Length];
            chain.ReadAt(0, disk);
            Assert.Equal(content, disk);
            Assert.Contains(chain.Map(), e => e.Kind == MapKind.Compressed);
        }

        await AgainstQemu.BytesAreEqual(path, _scratch);
        await AgainstQemu.MapIsEqual(path, _scratch);
    }

    [QemuFact]
    public async Task ChainThroughQcow1_ReadsAndMapsAsInQemu()
    {
        string[] names = [_scratch.File("base.qcow2"), _scratch.File("middle.qcow"), _scratch.File("top.qcow2")];
        await Qemu.Img("create", "-f", "qcow2", names[0], "3M");
        await Qemu.Io(names[0], "qcow2", "write -P 1 0 2M");
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "qcow", "-b", "base.qcow2", "-F", "qcow2", names[1], "4M");
        await Qemu.Io(names[1], "qcow", "write -P 2 1M 512", "write -P 3 2M 70k");
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "qcow2", "-b", "middle.qcow", "-F", "qcow", names[2], "4M");
        await Qemu.Io(names[2], "qcow2", "write -P 4 1088k 64k");
        await AgainstQemu.BytesAreEqual(names[2], _scratch);
        await AgainstQemu.MapIsEqual(names[2], _scratch);
        using Qcow2Chain chain = Qcow2Chain.Open(names[2]);
        Assert.Equal(["qcow2", "qcow", "qcow2"], chain.Layers.Select(l => l.FormatName));
    }

    [Fact]
    public void BackingFileOfUnrecordedFormat_MayNotNameFiles()
    {
        // qcow never records a format, so a qcow2 below it is known by its magic alone.
        new Qcow2Builder { Size = 65536, BackingFile = "secret", BackingFormat = "raw" }.Build().WriteTo(_scratch.File("base"));
        _scratch.Write("secret", new byte[512]);
        string top = _scratch.Write("top.qcow", Qcow1Image.Make(backingFile: "base").Bytes);
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(top));
        Assert.Equal("secret", error.File.Name);
        Assert.Contains("no format is recorded", error.Message, StringComparison.Ordinal);
        using Qcow2Chain trusted = Qcow2Chain.Open(top, new Qcow2OpenOptions { Follow = FollowPolicy.Trusted });
        Assert.Equal(3, trusted.Layers.Count);
    }

    [Fact]
    public void Info_TellsClusterSizeAndBackingFile()
    {
        string top = _scratch.Write("top.qcow", Qcow1Image.Make(backingFile: "base").Bytes);
        ImageInfo info = ImageInfo.Read(top);
        Assert.Equal(("qcow", 512, "base", null), (info.FormatName, info.ClusterSize, info.BackingFile, info.BackingFormat));
        Assert.Equal(_scratch.File("base"), info.FullBackingFile);
        MemoryStream json = new();
        new[] { info }.WriteJson(json, asArray: false);
        Assert.Contains("\"backing-filename\": \"base\"", System.Text.Encoding.UTF8.GetString(json.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public void GivenFormat_WinsOverTheMagic()
    {
        byte[] bytes = Qcow1Image.Make().Bytes;
        using Qcow2Chain raw = Qcow2Chain.Open(new MemoryStream(bytes), new Qcow2OpenOptions { Format = ImageFormat.Raw });
        Assert.Equal(ImageFormat.Raw, raw.Layers[0].Format);
        Assert.Throws<Qcow2UnsupportedException>(
            () => Qcow2Chain.Open(new MemoryStream(bytes), new Qcow2OpenOptions { Format = ImageFormat.Qcow2 }));
        byte[] qcow2 = new Qcow2Builder { Size = 65536 }.Build().ToBytes();
        Qcow2UnsupportedException error = Assert.Throws<Qcow2UnsupportedException>(
            () => Qcow2Chain.Open(new MemoryStream(qcow2), new Qcow2OpenOptions { Format = ImageFormat.Qcow1 }));
        Assert.Equal("qcow version 3", error.Feature);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Qcow2OpenOptions { Format = ImageFormat.Other });
    }
}
