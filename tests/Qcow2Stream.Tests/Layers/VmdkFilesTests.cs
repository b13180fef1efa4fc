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

    private readonly TempDirectory _scratch = new();

    static VmdkFilesTests() => ForeignImages.Register();

    public static TheoryData<string> Names => [.. Disks.Keys];

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
