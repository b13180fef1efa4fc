using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

/// <summary>A file of a VMDK is read as what the descriptor calls it, or not at all.</summary>
public sealed class VmdkFilesTests : IDisposable
{
    private const string Missing = "the header of a sparse extent is missing";
    private const int Sectors = 2048;
    private const int Length = Sectors * 512;

    private static readonly Dictionary<string, (string Kind, string Extent, byte[] Part, string? Problem)> Disks = new()
    {
        ["a text that is its own sparse extent"] = ("monolithicSparse", "SPARSE", Part("none"u8), Missing),
        ["a text that is its own compressed extent"] = ("streamOptimized", "SPARSE", Part("none"u8), Missing),
        ["a sparse extent without a header"] = ("twoGbMaxExtentSparse", "SPARSE", Part("none"u8), Missing),
        ["a sparse extent of a server that has a host's header"] = ("vmfsSparse", "VMFSSPARSE", Part("KDMV"u8), Missing),
        ["a sparse extent of a host that has a server's header"] = ("twoGbMaxExtentSparse", "SPARSE", Part("COWD"u8), Missing),
        ["a flat extent that begins as a sparse one of terabytes"] = ("monolithicFlat", "FLAT", Part("KDMV"u8), null),
        ["a flat extent of a server that begins as a sparse one"] = ("vmfs", "VMFS", Part("COWD"u8), null),
        ["an extent of zeros that names a file"] = ("monolithicFlat", "ZERO", [], null),
    };

    /// <summary>What is changed in a descriptor of one flat extent, and what is said of it.</summary>
    private static readonly Dictionary<string, (string Old, string New, string Problem)> Descriptors = new()
    {
        ["a parent without a name"] = ("parentCID=ffffffff", "parentCID=1", "does not name it"),
        ["a parent of an empty name"] = ("parentCID=ffffffff", "parentCID=1\nparentFileNameHint=\"\"", "does not name it"),
        ["a parent that is none"] = ("parentCID=ffffffff", "parentCID=1\nparentFileNameHint=\"p.vhd\"", "the descriptor has no createType"),
        ["a parent of another CID"] = ("parentCID=ffffffff", "parentCID=1\nparentFileNameHint=\"parent\"", "CID was 00000001, and that of 'parent' is 12345678"),
        ["a parent whose name has a second ="] = ("parentCID=ffffffff", "parentCID=1\nparentFileNameHint=\"a=b\"", "'a=b' is not opened: it does not exist"),
        ["a parent that is named and denied"] = (
            "createType=\"monolithicFlat\"\nRW 2048 FLAT",
            "parentFileNameHint=\"parent\"\ncreateType=\"vmfsSparse\"\nRW 2048 VMFSSPARSE",
            "says that it has none"),
        ["a number that is none"] = ("CID=12345678", "CID=1234567g", "CID is no number"),
        ["no number of its own"] = ("CID=12345678\n", "", "no CID"),
        ["nothing of a parent"] = ("parentCID=ffffffff\n", "", "no parentCID"),
        ["a kind that is first told behind the end"] = ("createType", "\0createType", "no createType"),
        ["an extent behind the end"] = ("RW 2048", "\0RW 2048", "has no extent"),
        ["no extent in a file that is its own"] = ("monolithicFlat\"\nRW", "monolithicSparse\"\n#RW", "0 extents"),
        ["two extents in a file that is its own"] = ("monolithicFlat\"\n", "monolithicSparse\"\nRW 1 SPARSE \"x\"\n", "2 extents"),
        ["an extent without a name"] = ("\"part.vmdk\"", "\"\"", "an extent has no name"),
        ["an extent past the end of its file"] = ("\" 0", "\" 1", "does not lie inside the file"),
        ["an extent past the end of all files"] = ("\" 0", "\" 36028797018963967", "does not lie inside the file"),
        ["a sector whose number is no number"] = ("\" 0", "\" 9223372036854775807", "does not lie inside the file"),
        ["a sparse extent that starts in its file"] = ("FLAT \"part.vmdk\" 0", "SPARSE \"part.vmdk\" 1", "a sparse extent starts at sector 1"),
        ["more sectors than there are"] = ("RW 2048", "RW 36028797018965999", "more sectors than a disk can have"),
        ["more sectors than there are, together"] = ("RW 2048", "RW 18014398509481983 ZERO \"z\"\nRW 2048", "more sectors than a disk can have"),
        ["a file for two kinds of extent"] = ("RW 2048 FLAT", "RW 2048 SPARSE \"part.vmdk\"\nRW 2048 FLAT", Missing),
        ["an extent that may not be read"] = ("RW 2048", "NOACCESS 2048", "type 'NOACCESS FLAT', which is not handled"),
        ["an extent of a device"] = ("FLAT", "VMFSRDM", "type 'RW VMFSRDM', which is not handled"),
        ["an extent that is no line of one"] = ("RW 2048", "RW 0x800", "the line of an extent isn't one"),
        ["an extent of another spelling"] = ("RW 2048", "rw 2048", "the line of an extent isn't one"),
        ["an extent behind a lone carriage return"] = ("RW 2048", "\rRW 2048", "control character"),
        ["an extent behind a vertical tab"] = ("RW 2048", "\vRW 2048", "control character"),
        ["a kind that nobody knows"] = ("monolithicFlat", "monolithicRound", "type 'monolithicRound', which is not handled"),
        ["a quote that is left open"] = ("\"monolithicFlat\"", "\"monolithicFlat", "leaves a quote open in createType"),
        ["a descriptor of a megabyte"] = ("ddb.adapterType", "#" + new string('x', 1 << 20) + "\nddb.adapterType", "1048575 are the most"),
        ["thousands of extents"] = ("RW 2048", string.Concat(Enumerable.Repeat("RW 1 ZERO\n", 4096)) + "RW 2048", "more files than the 4096"),
    };

    /// <summary>What is changed in a descriptor of one flat extent, and how many bytes of the part the disk then starts with.</summary>
    private static readonly Dictionary<string, (string Old, string New, int Length)> Healthy = new()
    {
        ["nothing"] = ("version=1", "version=1", Length),
        ["lines that end in two characters"] = ("\n", "\r\n", Length),
        ["tabs for spaces"] = ("RW 2048 FLAT", "\tRW\t2048  FLAT ", Length),
        ["a lone carriage return in a comment"] = ("RW 2048", "# was:\rRW 2048 FLAT \"old\" 0\nRW 2048", Length),
        ["a space that is none"] = ("RW 2048", "\u00a0RW 2048 FLAT \"old\" 0\nRW 2048", Length),
        ["blanks around the equals sign"] = ("createType=", " createType = ", Length),
        ["several extents of one file"] = ("RW 2048 FLAT \"part.vmdk\" 0", "RW 1024 FLAT \"part.vmdk\" 0\nRW 1024 FLAT \"part.vmdk\" 1024", Length),
        ["extents of no length"] = ("RW 2048", "RW 0 FLAT \"absent\" 0\nRW 2048", Length),
        ["zeros without a name behind it"] = ("RW 2048 FLAT \"part.vmdk\" 0", "RW 1024 FLAT \"part.vmdk\" 0\nRW 1024 ZERO", Length / 2),
        ["an extent that is only read"] = ("RW 2048", "RDONLY 2048", Length),
        ["a name with blanks around it"] = ("\"part.vmdk\"", "\" part \"", Length),
        ["hundreds of extents of a sector"] = (
            "RW 2048 FLAT \"part.vmdk\" 0",
            string.Concat(Enumerable.Range(0, 700).Select(i => $"RW 1 FLAT \"part.vmdk\" {i}\n")) + "RW 1348 FLAT \"part.vmdk\" 700",
            Length),
        ["a long descriptor"] = ("RW 2048", new string('#', 1 << 19) + "\nRW 2048", Length),
        ["no first line"] = ("# Disk DescriptorFile\n", "", Length),
    };

    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> HealthyNames => [.. Healthy.Keys];

    public static TheoryData<string> Names => [.. Disks.Keys];

    public static TheoryData<string> DescriptorNames => [.. Descriptors.Keys];

    public void Dispose() => _scratch.Dispose();

    /// <summary>The words that decide are those of a line's own place: anywhere else they are anybody's.</summary>
    [Theory]
    [InlineData("# copied from a monolithicSparse and a streamOptimized disk\n", "VMFSSPARSE monolithicSparse.vmdk")]
    [InlineData("parentFileNameHint=\"streamOptimized.vmdk\"\n", "RW 1 VMFSSPARSE streamOptimized.vmdk")]
    public void WordOfAnotherKind_IsAName(string line, string part)
    {
        _scratch.Write(part, Part("COWD"u8));
        File.WriteAllText(_scratch.File("base.vmdk"), Text("monolithicFlat", "FLAT", part) + line);
        new Qcow2Builder { Size = Length, BackingFile = "base.vmdk", BackingFormat = "vmdk" }.Build().WriteTo(_scratch.File("top"));
        using Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top"));
        Assert.Equal(Part("COWD"u8), chain.ReadWholeDisk());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void File_IsJudgedAsWhatItIsReadAs(string name)
    {
        (string kind, string extent, byte[] part, string? problem) = Disks[name];
        _scratch.Write("base.vmdk", [.. Encoding.ASCII.GetBytes(Text(kind, extent, "part.vmdk")), .. new byte[4096]]);
        if (part.Length > 0)
        {
            _scratch.Write("part.vmdk", part);
        }

        new Qcow2Builder { Size = Length, BackingFile = "base.vmdk", BackingFormat = "vmdk" }.Build().WriteTo(_scratch.File("top"));
        if (problem is not null)
        {
            Assert.Contains(problem, Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(_scratch.File("top"))).Message, StringComparison.Ordinal);
            return;
        }

        using Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top"));
        Assert.Equal(part.Length > 0 ? part : new byte[Length], chain.ReadWholeDisk());
    }

    [Theory]
    [MemberData(nameof(DescriptorNames))]
    public void Descriptor_IsRefusedForWhatIsWrongInIt(string name)
    {
        (string before, string after, string problem) = Descriptors[name];
        string healthy = Text("monolithicFlat", "FLAT", "part.vmdk");
        Assert.Contains(before, healthy, StringComparison.Ordinal);
        File.WriteAllText(_scratch.File("base.vmdk"), healthy.Replace(before, after, StringComparison.Ordinal));
        foreach (string file in new[] { "part.vmdk", "p.vhd" })
        {
            _scratch.Write(file, Part("none"u8));
        }

        File.WriteAllText(_scratch.File("parent"), healthy);

        new Qcow2Builder { Size = Length, BackingFile = "base.vmdk", BackingFormat = "vmdk" }.Build().WriteTo(_scratch.File("top"));
        Qcow2Exception error = Assert.ThrowsAny<Qcow2Exception>(() => Qcow2Chain.Open(_scratch.File("top")));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(HealthyNames))]
    public void Descriptor_IsReadByItsLines(string name)
    {
        (string before, string after, int length) = Healthy[name];
        string text = Text("monolithicFlat", "FLAT", "part.vmdk");
        Assert.Contains(before, text, StringComparison.Ordinal);
        File.WriteAllText(_scratch.File("base.vmdk"), text.Replace(before, after, StringComparison.Ordinal));
        byte[] part = new byte[Length];
        new Random(1).NextBytes(part);
        _scratch.Write("part.vmdk", part);
        _scratch.Write(" part ", part);
        new Qcow2Builder { Size = Length, BackingFile = "base.vmdk", BackingFormat = "vmdk" }.Build().WriteTo(_scratch.File("top"));
        using Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top"));
        Assert.Equal(Length, chain.Layers[1].Length);
        Assert.Equal([.. part.AsSpan(0, length), .. new byte[Length - length]], chain.ReadWholeDisk());
    }

    private static string Text(string kind, string extent, string part) =>
        $"# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"{kind}\"\nRW {Sectors} {extent} \"{part}\" 0\n"
        + "ddb.adapterType = \"ide\"\nddb.geometry.cylinders = \"8\"\nddb.geometry.heads = \"16\"\nddb.geometry.sectors = \"63\"\n";

    /// <summary>Bytes that would be a header with grain tables of gigabytes, if they were one.</summary>
    private static byte[] Part(ReadOnlySpan<byte> magic)
    {
        byte[] part = new byte[Length];
        part.AsSpan(8, 256).Fill(0x7F);
        magic.CopyTo(part);
        return part;
    }
}
