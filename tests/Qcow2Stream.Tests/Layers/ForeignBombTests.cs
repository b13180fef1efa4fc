using System.Buffers.Binary;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

/// <summary>Little that is stored, and fields that claim much: nothing is allocated on their word, whatever DiscUtils would do.</summary>
public sealed class ForeignBombTests : IDisposable
{
    private const string BlockTable = "2dc27766-f623-4200-9d64-115e9bfd4a08";
    private const string FileParameters = "caa16737-fa36-4d43-b3b6-33f0aa44e76b";
    private const string LogicalSectorSize = "8141bf1d-a96f-4709-ba47-f233a8faab5f";
    private const string Page83 = "beca12ab-b2e6-4523-93ef-c309e000c746";
    private const string ParentLocator = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c";
    private const string TooMuch = "MaxForeignTableBytes";
    private const int KiB = 1 << 10;
    private const long GiB = 1 << 30;

    private static readonly Dictionary<string, (string Format, string Subformat, long Length, Action<byte[]> Damage, string Problem)> Bombs = new()
    {
        ["vmdk: 67 million grain tables"] = ("vmdk", "monolithicSparse", 1024 * GiB, b => Vmdk(b, capacity: 1L << 38, grain: 8), "67108864 grain tables"),
        ["vmdk: a directory that counts past 2^31"] = ("vmdk", "monolithicSparse", 1024 * GiB, b => Vmdk(b, capacity: 1L << 41, grain: 8), "536870912 grain tables"),
        ["vmdk: no capacity that there is"] = ("vmdk", "monolithicSparse", GiB, b => Vmdk(b, capacity: -1), "capacity"),
        ["vmdk: grains of 0"] = ("vmdk", "monolithicSparse", GiB, b => Vmdk(b, grain: 0), "grain size"),
        ["vmdk: grains of 2 TiB"] = ("vmdk", "monolithicSparse", GiB, b => Vmdk(b, grain: 1L << 32), "grain size"),
        ["vmdk: grain tables of 0"] = ("vmdk", "monolithicSparse", GiB, b => b.Little(44, 0u), "grain table"),
        ["vmdk: grain tables of 4 billion"] = ("vmdk", "monolithicSparse", GiB, b => Vmdk(b, grain: 1).Little(44, uint.MaxValue), "grain table"),
        ["vmdk: grain tables of 513"] = ("vmdk", "monolithicSparse", GiB, b => Vmdk(b, grain: 1).Little(44, 513u), "it must have from 1 to 512"),
        ["vmdk: a directory past the end"] = ("vmdk", "monolithicSparse", GiB, b => Vmdk(b, directory: 1L << 40), "does not lie inside the file"),
        ["vmdk: compressed grains of 32 MiB"] = ("vmdk", "streamOptimized", GiB, b => Vmdk(b, grain: 1 << 16), "grain size"),
        ["vmdk: a compressed grain of 1 GiB"] = ("vmdk", "streamOptimized", 4 * GiB, b => b.Little(FirstGrain(b) + 8, 1u << 30), "compressed grain has"),
        ["vhd: 67 million blocks"] = ("vpc", "dynamic", 8 * GiB, b => Vhd(b, entries: 0x4000000), TooMuch),
        ["vhd: 268 million blocks"] = ("vpc", "dynamic", 8 * GiB, b => Vhd(b, entries: 0x10000000), TooMuch),
        ["vhd: a negative number of blocks"] = ("vpc", "dynamic", 8 * GiB, b => Vhd(b, entries: 0xFFFFFFFF), "does not lie inside the file"),
        ["vhd: blocks of 0"] = ("vpc", "dynamic", GiB, b => Vhd(b, blockSize: 0), "block size"),
        ["vhd: blocks of an odd size"] = ("vpc", "dynamic", GiB, b => Vhd(b, blockSize: 3 << 20), "block size"),
        ["vhd: blocks of 2 GiB"] = ("vpc", "dynamic", GiB, b => Vhd(b, blockSize: 1u << 31), "block size"),
        ["vhd: a table past the end"] = ("vpc", "dynamic", GiB, b => b.Big(ForeignFields.VhdHeader + 16, 1L << 40).WithVhdHeaderSum(), "does not lie inside the file"),
        ["vhd: a path of 1 GiB to the parent"] = ("vpc", "dynamic", 4 * GiB, VhdWithLongLocator, "path of the parent"),
        ["vhdx: a table of 2 GiB"] = ("vhdx", "dynamic", 8 * GiB, b => VhdxTable(b, 2u << 30), TooMuch),
        ["vhdx: a table past the end"] = ("vhdx", "dynamic", GiB, b => VhdxTable(b, 2u << 30), "does not lie inside the file"),
        ["vhdx: blocks of 0"] = ("vhdx", "dynamic", GiB, b => b.Little(VhdxItem(b, FileParameters), 0u), "block size"),
        ["vhdx: sectors of 1 GiB"] = ("vhdx", "dynamic", GiB, b => b.Little(VhdxItem(b, LogicalSectorSize), 1u << 30), "logical sector size"),
        ["vhdx: sectors of 1 GiB in an item of no length"] = ("vhdx", "dynamic", GiB, b => b.Little(VhdxItem(b, LogicalSectorSize), 1u << 30)
            .Little(b.VhdxEntry(b.VhdxMetadata(), LogicalSectorSize) + 20, 0u), "logical sector size"),
        ["vhdx: an item of 2 GiB"] = ("vhdx", "dynamic", GiB, b => b.Little(b.VhdxEntry(b.VhdxMetadata(), Page83) + 20, 1u << 31), "metadata item"),
        ["vhdx: a locator that names its bytes thousands of times"] = ("vhdx", "dynamic", GiB, VhdxWithManyKeys, "parent locator"),
        ["vhdx: a log of 1 GiB"] = ("vhdx", "dynamic", 4 * GiB, b => VhdxLog(b, 1u << 30), TooMuch),
        ["vhdx: a log entry of 2 GiB"] = ("vhdx", "dynamic", GiB, b => VhdxLog(b).Little(LogEntry(b) + 8, 1u << 31), "entry of the log"),
        ["vhdx: a log that zeroes exabytes"] = ("vhdx", "dynamic", GiB, VhdxLogOfZeros, TooMuch),
    };

    private readonly TempDirectory _scratch = new();

    static ForeignBombTests() => ForeignImages.Register();

    public static TheoryData<string> Names => [.. Bombs.Keys];

    public static TheoryData<string, string, string> LargeImages => new()
    {
        { "vmdk", "subformat=monolithicSparse", "2T" },
        { "vmdk", "subformat=monolithicSparse", "32T" },
        { "vmdk", "subformat=streamOptimized", "2T" },
        { "vmdk", "subformat=twoGbMaxExtentSparse", "64G" },
        { "vpc", "subformat=dynamic", "2040G" },
        { "vhdx", "subformat=dynamic", "2T" },
        { "vhdx", "subformat=dynamic", "64T" },
        { "vhdx", "subformat=dynamic,block_size=1048576", "2T" },
    };

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [MemberData(nameof(Names))]
    public async Task FieldThatClaimsMuch_IsRefusedBeforeAnythingIsAllocated(string name)
    {
        (string format, string subformat, long length, Action<byte[]> damage, string problem) = Bombs[name];
        string path = _scratch.File("base.img");
        string raw = _scratch.Write("disk.raw", new byte[1 << 20]);
        await Qemu.Io(raw, "raw", "write -P 1 0 64k");
        await Qemu.Img("convert", "-f", "raw", "-O", format, "-o", $"subformat={subformat}", raw, path);
        byte[] bytes = await File.ReadAllBytesAsync(path);
        byte[] footer = bytes[^1024..];
        damage(bytes);
        using (FileStream file = File.OpenWrite(path))
        {
            file.Write(bytes);
            file.SetLength(length);
            file.Position = length - footer.Length;
            file.Write(subformat == "streamOptimized" ? bytes.AsSpan(bytes.Length - 1024) : footer);
        }

        new Qcow2Builder { Size = 1 << 20, BackingFile = path, BackingFormat = format }.Build().WriteTo(_scratch.File("top"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Qcow2Exception error = Assert.ThrowsAny<Qcow2Exception>(() =>
        {
            using Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top"));
            chain.ReadAt(0, new byte[4096]);
        });
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.Contains("base.img", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [QemuTheory]
    [MemberData(nameof(LargeImages))]
    public async Task LargeImageOfQemu_IsRead(string format, string options, string size)
    {
        string path = _scratch.File("base.img");
        await Qemu.Img("create", "-f", format, "-o", options, path, size);
        string top = _scratch.File("top");
        await Qemu.Img("create", "-f", "qcow2", "-b", path, "-F", format, top);
        using Qcow2Chain chain = Qcow2Chain.Open(top);
        byte[] buffer = new byte[64 << 10];
        Array.Fill(buffer, (byte)1);
        Assert.Equal(buffer.Length, chain.ReadAt(chain.Length - buffer.Length, buffer));
        Assert.False(buffer.AsSpan().ContainsAnyExcept((byte)0));
    }

    [QemuFact]
    public async Task BitmapsOfAVhd_AreNotKeptForEver()
    {
        // Two thousand blocks of 256 MiB, each with a bitmap of 64 KiB, all in the same place.
        const int Blocks = 2000;
        string path = _scratch.File("base.img");
        await Qemu.Img("create", "-f", "vpc", "-o", "subformat=dynamic,force_size=on", path, "500G");
        byte[] bytes = await File.ReadAllBytesAsync(path);
        byte[] footer = bytes[^512..];
        Vhd(bytes, blockSize: 256 << 20, entries: Blocks);
        int table = (int)BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(ForeignFields.VhdHeader + 16));
        for (int i = 0; i < Blocks; i++)
        {
            bytes.Big(table + (i * 4), 4096u);
        }

        using (FileStream file = File.OpenWrite(path))
        {
            file.Write(bytes);
            file.SetLength(GiB);
            file.Position = GiB - footer.Length;
            file.Write(footer);
        }

        new Qcow2Builder { Size = 500 * GiB, BackingFile = path, BackingFormat = "vpc", ClusterBits = 21 }.Build().WriteTo(_scratch.File("top"));
        using Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top"));
        byte[] buffer = new byte[4096];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (long block = 0; block < Blocks; block++)
        {
            chain.ReadAt(block * (256 << 20), buffer);
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 48 << 20);
    }

    private static byte[] Vmdk(byte[] bytes, long? capacity = null, long? grain = null, long? directory = null)
    {
        // A compressed one has its header in front and, once more, at its end.
        foreach (int at in new[] { 0, bytes.Length - 1024 }.Where(at => bytes.AsSpan(at).StartsWith("KDMV"u8)))
        {
            bytes.Little(at + 12, capacity ?? BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 12)));
            bytes.Little(at + 20, grain ?? BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 20)));
            if (capacity is not null)
            {
                bytes.Little(at + 48, 1L << 20).Little(at + 56, 1L << 20);
            }

            bytes.Little(at + 56, directory ?? BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 56)));
        }

        return bytes;
    }

    /// <summary>A grain starts with its number, 0, and its length.</summary>
    private static int FirstGrain(byte[] bytes)
    {
        int directory = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(56)) * 512;
        int table = (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(directory)) * 512;
        return (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(table)) * 512;
    }

    private static byte[] Vhd(byte[] bytes, uint? entries = null, uint? blockSize = null)
    {
        const int Header = ForeignFields.VhdHeader;
        bytes.Big(Header + 28, entries ?? BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(Header + 28)));
        return bytes.Big(Header + 32, blockSize ?? BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(Header + 32))).WithVhdHeaderSum();
    }

    private static void VhdWithLongLocator(byte[] bytes)
    {
        const int Locator = ForeignFields.VhdHeader + 576;
        "W2ku"u8.CopyTo(bytes.AsSpan(Locator));
        bytes.Big(Locator + 8, 1u << 30).Big(Locator + 16, 1L << 20).WithVhdHeaderSum();
    }

    private static void VhdxTable(byte[] bytes, uint length)
    {
        int entry = bytes.VhdxEntry(ForeignFields.VhdxRegionTable, BlockTable);
        bytes.Little(entry + 24, length).WithVhdxSum(ForeignFields.VhdxRegionTable, 64 * KiB);
    }

    private static int VhdxItem(byte[] bytes, string id)
    {
        int entry = bytes.VhdxEntry(bytes.VhdxMetadata(), id);
        return bytes.VhdxMetadata() + (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(entry + 16));
    }

    private static void VhdxWithManyKeys(byte[] bytes)
    {
        // In place of an item that nothing depends on.
        const int Offset = 128 * KiB;
        const int Keys = 10_000;
        int entry = bytes.VhdxEntry(bytes.VhdxMetadata(), Page83);
        new Guid(ParentLocator).TryWriteBytes(bytes.AsSpan(entry));
        bytes.Little(entry + 16, (uint)Offset).Little(entry + 20, 1u << 19);
        Span<byte> locator = bytes.AsSpan(bytes.VhdxMetadata() + Offset);
        new Guid("b04aefb7-d19e-4a81-b789-25b8e9445913").TryWriteBytes(locator);
        BinaryPrimitives.WriteUInt16LittleEndian(locator[18..], Keys);
        for (int i = 0; i < Keys; i++)
        {
            Span<byte> key = locator.Slice(20 + (i * 12), 12);
            BinaryPrimitives.WriteUInt32LittleEndian(key, (uint)i * 2);
            BinaryPrimitives.WriteUInt16LittleEndian(key[8..], 60_000);
            BinaryPrimitives.WriteUInt16LittleEndian(key[10..], 60_000);
        }
    }

    /// <summary>A log that is in use, by both headers.</summary>
    private static byte[] VhdxLog(byte[] bytes, uint? length = null)
    {
        foreach (int header in new[] { 64 * KiB, 128 * KiB })
        {
            bytes.AsSpan(header + 48, 16).Fill(7);
            bytes.Little(header + 68, length ?? BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(header + 68))).WithVhdxSum(header, 4 * KiB);
        }

        int entry = LogEntry(bytes);
        "loge"u8.CopyTo(bytes.AsSpan(entry));
        bytes.AsSpan(entry + 32, 16).Fill(7);
        return bytes.Little(entry + 8, 4096u).Little(entry + 16, 1L);
    }

    private static int LogEntry(byte[] bytes) => (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan((64 * KiB) + 72));

    private static void VhdxLogOfZeros(byte[] bytes)
    {
        int entry = LogEntry(VhdxLog(bytes));
        "zero"u8.CopyTo(bytes.AsSpan(entry + 64));
        bytes.Little(entry + 24, 1u).Little(entry + 64 + 8, long.MaxValue).Little(entry + 64 + 16, 16L << 20).Little(entry + 64 + 24, 1L).WithVhdxSum(entry, 4096);
    }
}
