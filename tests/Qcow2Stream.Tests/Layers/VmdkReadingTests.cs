using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

/// <summary>What is read of a VMDK, and what of a damaged one is refused, is what QEMU reads and refuses.</summary>
public sealed class VmdkReadingTests : IDisposable
{
    private const int Sector = 512;

    private readonly TempDirectory _scratch = new();

    /// <summary>The number of sectors of the disk, of those of a grain, of the entries of a grain table, and how grains are stored.</summary>
    public static TheoryData<int, int, int, Storage> Geometries => new()
    {
        { 4096, 128, 512, Storage.Plain },
        { 4097, 128, 512, Storage.Plain },
        { 4000, 3, 5, Storage.Plain },
        { 4096, 1, 1, Storage.Plain },
        { 4096, 4096, 512, Storage.Plain },
        { 4096, 128, 512, Storage.Compressed },
        { 4000, 128, 7, Storage.Compressed },
        { 4096, 2048, 512, Storage.Compressed },
        { 8192, 4096, 512, Storage.Compressed },
        { 4096, 128, 512, Storage.CompressedWithoutMarkers },
        { 4096, 128, 512, Storage.CompressedWithFooter },
    };

    /// <summary>How grains are stored.</summary>
    public enum Storage
    {
        /// <summary>As they are.</summary>
        Plain,

        /// <summary>Each behind a marker with its length.</summary>
        Compressed,

        /// <summary>Each for itself.</summary>
        CompressedWithoutMarkers,

        /// <summary>With the header that counts at the end.</summary>
        CompressedWithFooter,
    }

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [MemberData(nameof(Geometries))]
    public async Task Geometry_ReadsAndMapsAsInQemu(int sectors, int grain, int entries, Storage storage)
    {
        _scratch.Write("base.vmdk", Hosted(sectors, grain, entries, storage));
        string top = await Top("base.vmdk");
        await AgainstQemu.BytesAreEqual(top, _scratch);
        Assert.Equal(await Qemu.ImgIn(_scratch.Path, "map", "--output=json", top), AgainstQemu.JsonMap(top));
    }

    [QemuTheory]
    [InlineData(0, "")]
    [InlineData(-1, "zlib data is broken")]
    [InlineData(-2, "zlib data is broken")]
    [InlineData(-3, "zlib data is broken")]
    [InlineData(-4, "zlib data is broken")]
    [InlineData(-40, "zlib data is broken")]
    [InlineData(9000, "zlib data is broken")]
    public async Task ByteOfACompressedGrain_IsHeldAgainstItsSum(int place, string problem)
    {
        byte[] bytes = Hosted(128, 128, 512, Storage.Compressed);
        int start = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(22 * Sector)) * Sector;
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(start + 8));
        if (place != 0)
        {
            bytes[start + 12 + (place < 0 ? length + place : place)] ^= 0x10;
        }

        _scratch.Write("base.vmdk", bytes);
        string top = await Top("base.vmdk");
        if (problem.Length == 0)
        {
            await AgainstQemu.BytesAreEqual(top, _scratch);
            return;
        }

        using Qcow2Chain chain = Qcow2Chain.Open(top);
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => chain.ReadWholeDisk());
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<Exception>(() => Qemu.ImgIn(_scratch.Path, "convert", "-O", "raw", top, "out.raw"));
    }

    [QemuFact]
    public async Task GrainsOfZeros_HideTheParent()
    {
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "vmdk", "parent.vmdk", "4M");
        await Qemu.Io(_scratch.File("parent.vmdk"), "vmdk", "write -P 1 0 3M");
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "vmdk", "-o", "zeroed_grain=on", "-b", "parent.vmdk", "-F", "vmdk", "child.vmdk");
        await Qemu.Io(_scratch.File("child.vmdk"), "vmdk", "write -z 64k 128k", "write -P 2 1M 64k");
        string top = await Top("child.vmdk");
        await AgainstQemu.BytesAreEqual(top, _scratch);
        Assert.Equal(await Qemu.ImgIn(_scratch.Path, "map", "--output=json", top), AgainstQemu.JsonMap(top));
    }

    [QemuFact]
    public async Task ChainOfVmdks_ReadsAndMapsAsInQemu()
    {
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "vmdk", "a.vmdk", "2M");
        await Qemu.Io(_scratch.File("a.vmdk"), "vmdk", "write -P 1 0 1M");
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "vmdk", "-b", "a.vmdk", "-F", "vmdk", "b.vmdk", "4M");
        await Qemu.Io(_scratch.File("b.vmdk"), "vmdk", "write -P 2 512k 64k", "write -P 3 3M 100k");
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "vmdk", "-b", "b.vmdk", "-F", "vmdk", "c.vmdk", "8M");
        await Qemu.Io(_scratch.File("c.vmdk"), "vmdk", "write -P 4 768k 64k", "write -P 5 7M 64k");
        string top = await Top("c.vmdk");
        await AgainstQemu.BytesAreEqual(top, _scratch);
        Assert.Equal(await Qemu.ImgIn(_scratch.Path, "map", "--output=json", top), AgainstQemu.JsonMap(top));
        using (Qcow2Chain chain = Qcow2Chain.Open(top, new Qcow2OpenOptions { MaxChainDepth = 4 }))
        {
            Assert.Equal(["qcow2", "vmdk", "vmdk", "vmdk"], chain.Layers.Select(l => l.FormatName));
        }

        NamedFileException deep = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(top, new Qcow2OpenOptions { MaxChainDepth = 3 }));
        Assert.Equal(("MaxChainDepth", NamedFileKind.ExtentOrParent), (deep.Hint, deep.File.Kind));

        await Qemu.Io(_scratch.File("a.vmdk"), "vmdk", "write -P 6 0 64k");
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(top));
        Assert.Contains("the parent was changed since (", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("b.vmdk", error.ImagePath, StringComparison.Ordinal);
    }

    [QemuFact]
    public async Task FlatExtentBehindASparseOne_HidesTheParent()
    {
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "vmdk", "parent.vmdk", "4M");
        await Qemu.Io(_scratch.File("parent.vmdk"), "vmdk", "write -P 1 0 4M");
        string raw = _scratch.Write("flat.raw", [.. Enumerable.Repeat((byte)7, 2 << 20)]);
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", "-b", "parent.vmdk", "-F", "vmdk", "child.vmdk", "2M");
        string text = await File.ReadAllTextAsync(_scratch.File("child.vmdk"));
        text = text.Replace("-s001.vmdk\"\n", "-s001.vmdk\"\nRW 4096 FLAT \"flat.raw\" 0\n", StringComparison.Ordinal);
        await File.WriteAllTextAsync(_scratch.File("child.vmdk"), text);
        string top = await Top("child.vmdk");
        await AgainstQemu.BytesAreEqual(top, _scratch);
        using Qcow2Chain chain = Qcow2Chain.Open(top);
        Assert.Equal([1, 1, 7, 7], chain.ReadRange((2 << 20) - 2, 4));
    }

    [QemuFact]
    public async Task ExtentInTheMiddleThatIsNoWholeGrains_IsRefused()
    {
        foreach (string name in (string[])["a", "b"])
        {
            _scratch.Write($"{name}.vmdk", Hosted(1000, 128, 512, Storage.Plain));
        }

        string text = Text("twoGbMaxExtentSparse", "SPARSE", 1000, "a.vmdk");
        await File.WriteAllTextAsync(_scratch.File("base.vmdk"), text);
        string top = await Top("base.vmdk");
        await AgainstQemu.BytesAreEqual(top, _scratch);
        await File.AppendAllTextAsync(_scratch.File("base.vmdk"), "RW 1000 SPARSE \"b.vmdk\"\n");
        Qcow2UnsupportedException error = Assert.Throws<Qcow2UnsupportedException>(() => Qcow2Chain.Open(top));
        Assert.Equal("part of a grain in format vmdk", error.Feature);
    }

    [QemuTheory]
    [InlineData("monolithicFlat", "is of type 'monolithicFlat' and in other files")]
    [InlineData("vmfs", "is of type 'vmfs' and in other files")]
    [InlineData("monolithicSparse", null)]
    public async Task FileWithData_IsItsOwnExtent(string kind, string? problem)
    {
        byte[] bytes = Hosted(4096, 128, 512, Storage.Plain, Text(kind, kind == "monolithicSparse" ? "SPARSE" : "FLAT", 4096, "other.raw"));
        _scratch.Write("base.vmdk", bytes);
        _scratch.Write("other.raw", new byte[4096 * Sector]);
        string top = await Top("base.vmdk");
        if (problem is null)
        {
            await AgainstQemu.BytesAreEqual(top, _scratch);
            return;
        }

        Qcow2UnsupportedException error = Assert.Throws<Qcow2UnsupportedException>(() => Qcow2Chain.Open(top));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    /// <summary>The sparse extents of servers: the older kind, and the newer one, that VMware does not document.</summary>
    [QemuTheory]
    [InlineData("vmfsSparse", "VMFSSPARSE", 0, 0, null)]
    [InlineData("vmfsSparse", "VMFSSPARSE", 24, 0, "the grain directory has 0 entries")]
    [InlineData("vmfsSparse", "VMFSSPARSE", 17, 0, "the grain size is 0")]
    [InlineData("seSparse", "SESPARSE", 0, 0, null)]
    [InlineData("seSparse", "SESPARSE", 8, 9, "not of the one kind that is known")]
    [InlineData("seSparse", "SESPARSE", 300, 1, "not of the one kind that is known")]
    [InlineData("seSparse", "SESPARSE", Sector + 24, 1, "its journal is to be replayed")]
    [InlineData("seSparse", "SESPARSE", Sector, 1, "the volatile header of a space-efficient extent is missing")]
    [InlineData("seSparse", "SESPARSE", (2 * Sector) + 7, 0x20, "does not lie inside the file")]
    [InlineData("seSparse", "SESPARSE", (3 * Sector) + 7, 0x40, "an entry that the format does not know")]
    public async Task ExtentOfAServer_ReadsAsInQemu(string kind, string type, int place, byte value, string? problem)
    {
        byte[] bytes = kind == "vmfsSparse" ? Server() : SpaceEfficient();
        if (place > 0)
        {
            bytes[place] = value;
        }

        _scratch.Write("part.vmdk", bytes);
        await File.WriteAllTextAsync(_scratch.File("base.vmdk"), Text(kind, type, 8192, "part.vmdk"));
        new Qcow2Builder { Size = 8192 * Sector, BackingFile = "base.vmdk", BackingFormat = "vmdk" }.Build().WriteTo(_scratch.File("top"));
        if (problem is null)
        {
            await AgainstQemu.BytesAreEqual(_scratch.File("top"), _scratch);
            return;
        }

        Qcow2Exception error = Assert.ThrowsAny<Qcow2Exception>(() =>
        {
            using Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top"));
            chain.ReadWholeDisk();
        });
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    private static string Text(string kind, string type, int sectors, string part) =>
        $"# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"{kind}\"\n"
        + $"RW {sectors} {type} \"{part}\"{(type == "FLAT" ? " 0" : "")}\n";

    /// <summary>A hosted extent of which every other grain is stored.</summary>
    private static byte[] Hosted(int sectors, int grain, int entries, Storage storage, string? descriptor = null)
    {
        bool isCompressed = storage != Storage.Plain;
        int grains = (sectors + grain - 1) / grain;
        int tables = (grains + entries - 1) / entries;
        int tableSectors = ((entries * 4) + Sector - 1) / Sector;
        int firstTable = 21 + (((tables * 4) + Sector - 1) / Sector);
        int data = (firstTable + (tables * tableSectors) + 127) & -128;
        using MemoryStream image = new();
        image.SetLength(data * Sector);
        byte[] metadata = new byte[data * Sector];
        Random random = new(7);
        for (int i = 0; i < grains; i++)
        {
            int table = firstTable + (i / entries * tableSectors);
            metadata.Little((21 * Sector) + (i / entries * 4), (uint)table);
            if (i % 2 != 0)
            {
                continue;
            }

            image.Position = (image.Length + Sector - 1) & -Sector;
            metadata.Little((table * Sector) + (i % entries * 4), (uint)(image.Position / Sector));
            byte[] bytes = new byte[grain * Sector];
            random.NextBytes(bytes.AsSpan(0, bytes.Length / 2));
            image.Write(isCompressed ? Compressed(bytes, i * grain, storage != Storage.CompressedWithoutMarkers) : bytes);
        }

        image.SetLength((image.Length + Sector - 1) & -Sector);
        uint flags = !isCompressed ? 1u : storage == Storage.CompressedWithoutMarkers ? 0x10001u : 0x30001u;
        byte[] header = new byte[Sector].Little(4, isCompressed ? 3u : 1u).Little(8, flags).Little(12, (long)sectors).Little(20, (long)grain)
            .Little(28, 1L).Little(36, 20L).Little(44, (uint)entries).Little(56, 21L).Little(64, (long)data);
        "KDMV"u8.CopyTo(header);
        header[77] = (byte)(isCompressed ? 1 : 0);
        if (storage == Storage.CompressedWithFooter)
        {
            image.Position = image.Length;
            image.Write(new byte[Sector].Little(0, 1L).Little(12, 3u));
            image.Write(header);
            image.Write(new byte[Sector]);
            header.Little(56, -1L);
        }

        header.CopyTo(metadata, 0);
        descriptor ??= Text(isCompressed ? "streamOptimized" : "monolithicSparse", "SPARSE", sectors, "base.vmdk");
        Encoding.ASCII.GetBytes(descriptor).CopyTo(metadata, Sector);
        image.Position = 0;
        image.Write(metadata);
        return image.ToArray();
    }

    private static byte[] Compressed(byte[] grain, long sector, bool hasMarker)
    {
        MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(grain);
        }

        return hasMarker ? [.. new byte[12].Little(0, sector).Little(8, (uint)packed.Length), .. packed.ToArray()] : packed.ToArray();
    }

    /// <summary>An extent of grains of 1 MiB, of which the second and the fourth are stored.</summary>
    private static byte[] Server()
    {
        byte[] bytes = new byte[6 << 20].Little(4, 1u).Little(8, 3u).Little(12, 8192u).Little(16, 2048u).Little(20, 4u).Little(24, 1u);
        "COWD"u8.CopyTo(bytes);
        bytes.Little(4 * Sector, 8u).Little((8 * Sector) + 4, 2048u).Little((8 * Sector) + 12, 6144u);
        bytes.AsSpan(1 << 20, 1 << 20).Fill(5);
        bytes.AsSpan(3 << 20, 1 << 20).Fill(6);
        return bytes;
    }

    /// <summary>Headers, a directory and a table in a sector each of which little is used, and grains from 64 KiB on.</summary>
    private static byte[] SpaceEfficient()
    {
        byte[] bytes = new byte[1 << 20].Little(0, 0xCAFEBABEL).Little(8, 0x2_0000_0001L).Little(16, 8192L).Little(24, 8L).Little(32, 64L)
            .Little(80, 1L).Little(128, 2L).Little(136, 1L).Little(144, 3L).Little(192, 128L);
        bytes.Little(Sector, 0xCAFECAFEL);
        bytes.Little(2 * Sector, 0x1000_0000_0000_0000L);
        bytes.Little(3 * Sector, 0x3002_0000_0000_0000L).Little((3 * Sector) + 8, 0x2000_0000_0000_0000L).Little((3 * Sector) + 16, 0x1000_0000_0000_0000L)
            .Little((3 * Sector) + 40, 0x3001_0000_0000_0000L).Little((3 * Sector) + 48, 0x3002_0000_0000_0000L);
        bytes.AsSpan(0x10000, 4096).Fill(1);
        bytes.AsSpan(0x11000, 4096).Fill(2);
        bytes.AsSpan(0x12000, 4096).Fill(3);
        return bytes;
    }

    private async Task<string> Top(string name)
    {
        await Qemu.ImgIn(_scratch.Path, "create", "-f", "qcow2", "-b", name, "-F", "vmdk", "top.qcow2");
        return _scratch.File("top.qcow2");
    }
}
