using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

/// <summary>
/// DiscUtils reads a file of a VMDK as what the descriptor calls it, and looks at no magic: fields of a header that isn't one would then be believed, which
/// the judgement of headers did not see.
/// </summary>
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
        ["a parent that is named as another format"] = ("parentCID=ffffffff", "parentCID=1\nparentFileNameHint=\"p.vhd\"", "'p.vhd', whose name does not end in .vmdk"),
        ["a parent that is named as no format"] = ("parentCID=ffffffff", "parentCID=1\nparentFileNameHint=\"p\"", "'p', whose name does not end in .vmdk"),
        ["nothing of a parent"] = ("parentCID=ffffffff\n", "", "no parentCID"),
        ["a parent that is first told of behind the end"] = ("parentCID=ffffffff\n", "\0parentCID=ffffffff\n", "behind the end of the descriptor"),
        ["a kind that is first told behind the end"] = ("createType", "\0createType", "behind the end of the descriptor"),
        ["an extent behind the end"] = ("RW 2048", "\0RW 2048", "behind the end of the descriptor"),
        ["no extent in a file that is its own"] = ("monolithicFlat\"\nRW", "monolithicSparse\"\n#RW", "0 extents"),
        ["two extents in a file that is its own"] = ("monolithicFlat\"\n", "monolithicSparse\"\nRW 1 SPARSE \"x\"\n", "2 extents"),
        ["an extent without a name"] = ("\"part.vmdk\"", "\"\"", "an extent has no name"),
        ["an extent past the end of its file"] = ("\" 0", "\" 1", "does not lie inside the file"),
        ["an extent past the end of all files"] = ("\" 0", "\" 36028797018963967", "does not lie inside the file"),
        ["a sector whose number is no number"] = ("\" 0", "\" 9223372036854775807", "does not lie inside the file"),
        ["a sparse extent that starts in its file"] = ("FLAT \"part.vmdk\" 0", "SPARSE \"part.vmdk\" 1", "a sparse extent starts at sector 1"),
        ["more sectors than there are"] = ("RW 2048", "RW 36028797018965999", "more sectors than a disk can have"),
        ["more sectors than there are, together"] = ("RW 2048", "RW 18014398509481983 ZERO \"z\"\nRW 2048", "more sectors than a disk can have"),
        ["a file for two extents"] = ("RW 2048 FLAT", "RW 1024 FLAT \"part.vmdk\" 1024\nRW 1024 FLAT", "several extents"),
        ["a file for two kinds of extent"] = ("RW 2048 FLAT", "RW 2048 SPARSE \"part.vmdk\"\nRW 2048 FLAT", "two kinds of extent"),
    };

    private readonly TempDirectory _scratch = new();

    static VmdkFilesTests() => ForeignImages.Register();

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
        foreach (string file in new[] { "part.vmdk", "p", "p.vhd" })
        {
            _scratch.Write(file, Part("none"u8));
        }

        new Qcow2Builder { Size = Length, BackingFile = "base.vmdk", BackingFormat = "vmdk" }.Build().WriteTo(_scratch.File("top"));
        Qcow2Exception error = Assert.ThrowsAny<Qcow2Exception>(() => Qcow2Chain.Open(_scratch.File("top")));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
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
