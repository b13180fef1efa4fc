using System.Text;
using DiscUtils.Streams;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

public sealed class ForeignTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    static ForeignTests() => ForeignImages.Register();

    /// <summary>The format, its subformat option, and whether as much of the map is known as in QEMU.</summary>
    public static TheoryData<string, string, bool> Formats => new()
    {
        { "vmdk", "subformat=monolithicSparse", true },
        { "vmdk", "subformat=streamOptimized", true },
        { "vmdk", "subformat=monolithicFlat", false },
        { "vmdk", "subformat=twoGbMaxExtentSparse", false },
        { "vmdk", "subformat=twoGbMaxExtentFlat", false },
        { "vpc", "subformat=dynamic", true },
        { "vpc", "subformat=fixed", false },
        { "vhdx", "subformat=dynamic", true },
        { "vhdx", "subformat=dynamic,block_size=1048576", true },
        { "vhdx", "subformat=fixed", true },
    };

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [MemberData(nameof(Formats))]
    public async Task ChainOverAnotherFormat_ReadsAndMapsAsInQemu(string format, string subformat, bool mapsAlike)
    {
        string top = await MakeChain(format, subformat, "base.img");
        using (Qcow2Chain chain = Qcow2Chain.Open(top))
        {
            Assert.Equal((ImageFormat.Other, format), (chain.Layers[1].Format, chain.Layers[1].FormatName));
        }

        await AgainstQemu.BytesAreEqual(top, _scratch);
        string map = AgainstQemu.JsonMap(top);
        Assert.NotEmpty(AgainstQemu.TextMap(top));
        if (mapsAlike)
        {
            Assert.Equal(await Qemu.ImgIn(_scratch.Path, "map", "--output=json", top), map);
        }
    }

    [QemuFact]
    public async Task LastBlockThatIsCutShort_IsRead()
    {
        // DiscUtils' extents leave it out.
        string path = _scratch.File("base.vhdx");
        await Qemu.Img("create", "-f", "vhdx", "-o", "block_size=1048576", path, "2560k");
        await Qemu.Io(path, "vhdx", "write -P 1 2M 512k");
        string top = await MakeTop("base.vhdx", "vhdx");
        await AgainstQemu.BytesAreEqual(top, _scratch);
    }

    [QemuFact]
    public async Task DataWithoutAPlace_HasADashInTheTextForm()
    {
        string top = await MakeChain("vmdk", "subformat=streamOptimized", "base.vmdk");
        string map = AgainstQemu.TextMap(top);
        Assert.Contains(" 1 -\n", map, StringComparison.Ordinal);
        using Qcow2Chain chain = Qcow2Chain.Open(top);
        Assert.Throws<Qcow2UnsupportedException>(() => chain.Map().WriteHuman(Stream.Null));
    }

    [QemuFact]
    public async Task ManyReaders_ReadTheSame()
    {
        string top = await MakeChain("vmdk", "subformat=monolithicSparse", "base.vmdk");
        using Qcow2Chain chain = Qcow2Chain.Open(top);
        byte[] expected = new byte[chain.Length];
        chain.ReadAt(0, expected);
        await Parallel.ForEachAsync(Enumerable.Range(0, 64), async (i, token) =>
        {
            byte[] piece = new byte[50_000];
            int start = i * 60_000;
            int read = i % 2 == 0 ? chain.ReadAt(start, piece) : await chain.ReadAtAsync(start, piece, token);
            Assert.Equal(expected.AsSpan(start, read).ToArray(), piece[..read]);
            Assert.NotEmpty(chain.Map(start, 1 << 20));
        });
        chain.Dispose();
        Assert.Throws<ObjectDisposedException>(() => chain.ReadAt(0, expected));
    }

    [QemuFact]
    public async Task ParentOfAVmdk_IsOpenedThroughTheGate()
    {
        string parent = _scratch.File("parent.vmdk");
        await Qemu.Img("create", "-f", "vmdk", parent, "4M");
        await Qemu.Io(parent, "vmdk", "write -P 1 0 1M");
        string child = _scratch.File("child.vmdk");
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "vmdk", "-b", "parent.vmdk", "-F", "vmdk", child);
        await Qemu.Io(child, "vmdk", "write -P 2 64k 64k");
        string top = await MakeTop("child.vmdk", "vmdk");
        await AgainstQemu.BytesAreEqual(top, _scratch);

        Directory.CreateDirectory(_scratch.File("sub"));
        File.Move(parent, _scratch.File("sub/parent.vmdk"));
        NamedFileException missing = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(top));
        Assert.Equal("parent.vmdk", missing.File.Name);
        Assert.Contains("does not exist", missing.Message, StringComparison.Ordinal);
    }

    [QemuTheory]
    [InlineData("../outside.raw", "lies outside")]
    [InlineData("/etc/hostname", "lies outside")]
    [InlineData("absent.raw", "does not exist")]
    public async Task ExtentOfAVmdk_IsOpenedThroughTheGate(string name, string expected)
    {
        await MakeChain("vmdk", "subformat=monolithicFlat", "base.vmdk");
        string descriptor = await File.ReadAllTextAsync(_scratch.File("base.vmdk"));
        await File.WriteAllTextAsync(_scratch.File("base.vmdk"), descriptor.Replace("base-flat.vmdk", name, StringComparison.Ordinal));
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(_scratch.File("top.qcow2")));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.EndsWith(Path.GetFileName(name), error.File.Name, StringComparison.Ordinal);

        List<NamedFile> asked = [];
        FollowPolicy resolver = FollowPolicy.FromResolver(file =>
        {
            asked.Add(file);
            return file.Kind == NamedFileKind.BackingFile ? File.OpenRead(_scratch.File(file.Name)) : null;
        });
        Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(_scratch.File("top.qcow2"), new Qcow2OpenOptions { Follow = resolver }));
        Assert.Equal((NamedFileKind.ExtentOrParent, _scratch.File("base.vmdk")), (asked[^1].Kind, asked[^1].ImagePath));
    }

    [QemuTheory]
    [InlineData("twoGbMaxExtentFlat", "RW 4096 FLAT 'a.raw' 2048", "RW 4096 FLAT 'b.raw' 0")]
    [InlineData("twoGbMaxExtentFlat", "RW 1 FLAT 'a.raw' 8191", "RW 4097 FLAT 'b.raw' 3")]
    [InlineData("monolithicFlat", "RW 4097 FLAT 'a.raw' 0", "")]
    [InlineData("vmfs", "RW 4097 VMFS 'a.raw'", "")]
    public async Task ExtentThatIsPartOfAFile_ReadsAsInQemu(string kind, string first, string second)
    {
        Random random = new(3);
        foreach (string name in new[] { "a.raw", "b.raw" })
        {
            byte[] bytes = new byte[4 << 20];
            random.NextBytes(bytes);
            _scratch.Write(name, bytes);
        }

        await File.WriteAllTextAsync(_scratch.File("base.vmdk"), DescriptorOf(kind, first, second));
        await AgainstQemu.BytesAreEqual(await MakeTop("base.vmdk", "vmdk", written: 0), _scratch);
    }

    [QemuTheory]
    [InlineData("monolithicSparse")]
    [InlineData("streamOptimized")]
    [InlineData("monolithicFlat")]
    [InlineData("twoGbMaxExtentSparse")]
    [InlineData("twoGbMaxExtentFlat")]
    public async Task VmdkOfAnOddSize_ReadsAsInQemu(string subformat)
    {
        foreach (int sectors in new[] { 1, 127, 128, 129, 2049, 65535, 65537 })
        {
            string raw = _scratch.File("base.raw");
            await Qemu.Img("create", "-f", "raw", raw, $"{sectors * 512L}");
            await Qemu.Io(raw, "raw", $"write -P 7 {(sectors - 1) * 512L} 512");
            await Qemu.ImgIn(_scratch.Path, "convert", "-f", "raw", "-O", "vmdk", "-o", $"subformat={subformat}", raw, "base.vmdk");
            await AgainstQemu.BytesAreEqual(await MakeTop("base.vmdk", "vmdk", written: 0), _scratch);
        }
    }

    /// <summary>
    /// QEMU goes by the header of a sparse extent, and others by the descriptor. Some tools round the size up to whole grains, in the header alone: that
    /// makes no difference as long as nothing is kept there.
    /// </summary>
    [QemuTheory]
    [InlineData("monolithicSparse", "10112", true, "10112 sectors by the descriptor, and 10240 by its header")]
    [InlineData("monolithicSparse", "10368", true, "10368 sectors by the descriptor, and 10240 by its header")]
    [InlineData("monolithicSparse", "10112", false, "10112 sectors by the descriptor, and 10240 by its header")]
    [InlineData("streamOptimized", "10112", true, "10112 sectors by the descriptor, and 10240 by its header")]
    [InlineData("streamOptimized", "99999", true, "99999 sectors by the descriptor, and 10240 by its header")]
    [InlineData("twoGbMaxExtentSparse", "10112", true, "10112 sectors by the descriptor, and 10240 by its header")]
    [InlineData("twoGbMaxExtentSparse", "10241", true, "10241 sectors by the descriptor, and 10240 by its header")]
    [InlineData("monolithicSparse", "10200", true, "behind the end of the disk")]
    [InlineData("streamOptimized", "10200", true, "behind the end of the disk")]
    [InlineData("twoGbMaxExtentSparse", "10200", true, "behind the end of the disk")]
    [InlineData("monolithicSparse", "10200", false, null)]
    [InlineData("streamOptimized", "10113", false, null)]
    [InlineData("twoGbMaxExtentSparse", "10239", false, null)]
    public async Task SizesOfAnExtentThatDiffer_AreRefusedUnlessTheyAreRounded(string subformat, string sectors, bool isDataLast, string? problem)
    {
        // The last grain has data in its first sector, or in its last.
        string raw = _scratch.File("base.raw");
        await Qemu.Img("create", "-f", "raw", raw, "5M");
        await Qemu.Io(raw, "raw", "write -P 1 0 100k", $"write -P 3 {(isDataLast ? 10239 : 10112) * 512} 512");
        await Qemu.ImgIn(_scratch.Path, "convert", "-f", "raw", "-O", "vmdk", "-o", $"subformat={subformat}", raw, "base.vmdk");
        byte[] bytes = await File.ReadAllBytesAsync(_scratch.File("base.vmdk"));
        Encoding.ASCII.GetBytes(sectors).CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf("RW 10240 "u8) + 3));
        _scratch.Write("base.vmdk", bytes);
        string top = await MakeTop("base.vmdk", "vmdk", written: 0, "5M");
        if (problem is null)
        {
            await AgainstQemu.BytesAreEqual(top, _scratch);
            return;
        }

        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(top));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    /// <summary>QEMU goes by the number of the algorithm, and others by a flag.</summary>
    [QemuTheory]
    [InlineData("monolithicSparse", 8 + 2, 1)]
    [InlineData("monolithicSparse", 77, 1)]
    [InlineData("streamOptimized", 8 + 2, 2)]
    [InlineData("streamOptimized", 77, 0)]
    public async Task CompressionThatOnePlaceOfTwoTells_IsRefused(string subformat, int place, byte value)
    {
        string top = await MakeChain("vmdk", $"subformat={subformat}", "base.vmdk");
        byte[] bytes = await File.ReadAllBytesAsync(_scratch.File("base.vmdk"));
        bytes[place] = value;
        _scratch.Write("base.vmdk", bytes);
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(top));
        Assert.Contains("in another that they are not", error.Message, StringComparison.Ordinal);
    }

    [QemuFact]
    public async Task SizeThatIsRoundedBetweenExtents_IsRefused()
    {
        foreach (string name in new[] { "a", "b" })
        {
            string raw = _scratch.Write($"{name}.raw", new byte[2 << 20]);
            await Qemu.ImgIn(_scratch.Path, "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", raw, $"{name}.vmdk");
        }

        string text = DescriptorOf("twoGbMaxExtentSparse", "RW 4096 SPARSE 'a-s001.vmdk'", "RW 4096 SPARSE 'b-s001.vmdk'");
        await File.WriteAllTextAsync(_scratch.File("base.vmdk"), text);
        string top = await MakeTop("base.vmdk", "vmdk", written: 0);
        await AgainstQemu.BytesAreEqual(top, _scratch);
        await File.WriteAllTextAsync(_scratch.File("base.vmdk"), text.Replace("4096 SPARSE \"a", "4090 SPARSE \"a", StringComparison.Ordinal));
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(top));
        Assert.Contains("4090 sectors by the descriptor, and 4096 by its header", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Comments, lines of other keys, and those after the first of a key.</summary>
    [QemuTheory]
    [InlineData("#RW 10240 VMFSSPARSE \"old.vmdk\"\n")]
    [InlineData("was: RW 10240 VMFSSPARSE \"old.vmdk\"\n")]
    [InlineData("was RW VMFSSPARSE\n")]
    [InlineData("createType=\"monolithicSparse\"\n")]
    [InlineData("createTypes=\"monolithicSparse\"\n")]
    [InlineData("\0\ncreateType=\"monolithicSparse\"\nparentCID=1\n")]
    public async Task LineOfADescriptorThatIsNotTaken_ChangesNothing(string line)
    {
        string top = await MakeChain("vmdk", "subformat=twoGbMaxExtentSparse", "base.vmdk");
        await File.AppendAllTextAsync(_scratch.File("base.vmdk"), line);
        await AgainstQemu.BytesAreEqual(top, _scratch);
    }

    [Theory]
    [InlineData("vdi", "LTRData.DiscUtils.Vdi", "RegisterVirtualDiskTypes(typeof(DiscUtils.Vdi.Disk).Assembly)")]
    [InlineData("dmg", "LTRData.DiscUtils.Dmg", "RegisterVirtualDiskTypes")]
    [InlineData("parallels", "the format 'parallels' is not handled", "what is registered with DiscUtils.VirtualDiskManager")]
    [InlineData("luks", "the format 'luks' is not handled", "")]
    public void UnregisteredFormat_SaysWhatToAdd(string format, string first, string second)
    {
        _scratch.Write("base", new byte[4096]);
        new Qcow2Builder { Size = 65536, BackingFile = "base", BackingFormat = format }.Build().WriteTo(_scratch.File("top"));
        Qcow2UnsupportedException error = Assert.Throws<Qcow2UnsupportedException>(() => Qcow2Chain.Open(_scratch.File("top")));
        Assert.Equal($"format {format}", error.Feature);
        Assert.Contains(first, error.Message, StringComparison.Ordinal);
        Assert.Contains(second, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FormatThatIsNotRecorded_IsNotProbed()
    {
        MemoryStream vhd = new();
        DiscUtils.Vhd.Disk.InitializeDynamic(vhd, Ownership.None, 1 << 20).Dispose();
        _scratch.Write("base.vhd", vhd.ToArray());
        new Qcow2Builder { Size = 65536, BackingFile = "base.vhd" }.Build().WriteTo(_scratch.File("top"));
        using Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top"));
        Assert.Equal(ImageFormat.Raw, chain.Layers[1].Format);
    }

    [Fact]
    public void DifferencingVhdx_ReadsThroughItsParentOrIsRefused()
    {
        string parent = _scratch.File("parent.vhdx");
        string child = _scratch.File("child.vhdx");
        using (FileStream file = File.Create(parent))
        using (DiscUtils.Vhdx.Disk disk = DiscUtils.Vhdx.Disk.InitializeDynamic(file, Ownership.None, 4 << 20))
        {
            disk.Content.Write(Enumerable.Repeat((byte)1, 8192).ToArray());
        }

        using (DiscUtils.Vhdx.Disk disk = DiscUtils.Vhdx.Disk.InitializeDifferencing(child, parent))
        {
            disk.Content.Write(Enumerable.Repeat((byte)2, 512).ToArray());
        }

        new Qcow2Builder { Size = 4 << 20, BackingFile = "child.vhdx", BackingFormat = "vhdx" }.Build().WriteTo(_scratch.File("top"));
        using (Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top")))
        {
            byte[] start = new byte[8193];
            chain.ReadAt(0, start);
            Assert.Equal([.. Enumerable.Repeat((byte)2, 512), .. Enumerable.Repeat((byte)1, 7680), 0], start);
        }

        Directory.CreateDirectory(_scratch.File("elsewhere"));
        File.Move(child, _scratch.File("elsewhere/child.vhdx"));
        new Qcow2Builder { Size = 4 << 20, BackingFile = "elsewhere/child.vhdx", BackingFormat = "vhdx" }.Build().WriteTo(_scratch.File("top"));
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(_scratch.File("top")));
        Assert.Contains("lies outside", error.Message, StringComparison.Ordinal);
    }

    private async Task<string> MakeChain(string format, string options, string name)
    {
        string raw = _scratch.File("base.raw");
        await Qemu.Img("create", "-f", "raw", raw, "5M");
        await Qemu.Io(raw, "raw", "write -P 1 0 100k", "write -P 2 1M 700k", "write -P 3 4900k 220k");
        await Qemu.ImgIn(_scratch.Path, "convert", "-f", "raw", "-O", format, "-o", options, raw, _scratch.File(name));
        return await MakeTop(name, format);
    }

    private async Task<string> MakeTop(string name, string format, int written = 64, params string[] size)
    {
        string top = _scratch.File("top.qcow2");
        await Qemu.ImgIn(_scratch.Path, ["create", "-f", "qcow2", "-b", name, "-F", format, top, .. size]);
        if (written > 0)
        {
            await Qemu.Io(top, "qcow2", $"write -P 9 1088k {written}k");
        }

        return top;
    }

    /// <summary>The descriptor of a VMDK, of extents in whose lines names are in single quotes.</summary>
    private static string DescriptorOf(string kind, params string[] extents) =>
        $"# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"{kind}\"\n{string.Join('\n', extents).Replace('\'', '"')}\n"
        + "ddb.adapterType = \"ide\"\nddb.geometry.cylinders = \"12\"\nddb.geometry.heads = \"16\"\nddb.geometry.sectors = \"63\"\n";
}
