using Qcow2Stream.Layers.Foreign;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

/// <summary>A VDI is read by a package that a program may add. What its header says is judged before that package sees it.</summary>
public sealed class VdiTablesTests : IDisposable
{
    private const int Version = 68;
    private const int HeaderLength = 72;
    private const int BlockSize = 72 + 304;
    private const int BlockCount = 72 + 312;

    private static readonly Dictionary<string, (Action<byte[]> Damage, string? Problem)> Rows = new()
    {
        ["as QEMU makes it"] = (_ => { }, null),
        ["no signature"] = (b => b[64] ^= 1, "signature of a VDI is missing"),
        ["a header of 4 GiB"] = (b => b.Little(HeaderLength, uint.MaxValue), "header would take"),
        ["a negative block size"] = (b => b.Little(BlockSize, uint.MaxValue), "block size"),
        ["blocks of 0"] = (b => b.Little(BlockSize, 0u), "block size"),
        ["4 billion blocks"] = (b => b.Little(BlockCount, uint.MaxValue), "does not lie inside the file"),
        ["4 billion blocks by the old header"] = (b => b.Little(Version, 1u).Little(72 + 288, 1u << 20).Little(72 + 292, uint.MaxValue), "does not lie inside the file"),
    };

    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Names => [.. Rows.Keys];

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [MemberData(nameof(Names))]
    public async Task Header_IsJudged(string name)
    {
        string path = _scratch.File("disk.vdi");
        await Qemu.Img("create", "-f", "vdi", path, "1G");
        byte[] bytes = await File.ReadAllBytesAsync(path);
        (Action<byte[]> damage, string? problem) = Rows[name];
        damage(bytes);
        using HostFile file = HostFile.FromStream(new MemoryStream(bytes));
        TableMemory memory = new(1 << 20);
        if (problem is null)
        {
            VdiTables.Judge(file, memory);
            Assert.Equal(1024 * 8, memory.Bytes);
        }
        else
        {
            Assert.Contains(problem, Assert.Throws<Qcow2FormatException>(() => VdiTables.Judge(file, memory)).Message, StringComparison.Ordinal);
        }
    }

    [QemuFact]
    public async Task BlocksThatAreStored_TakeWhatIsAllowedAtMost()
    {
        string path = _scratch.File("disk.vdi");
        await Qemu.Img("create", "-f", "vdi", path, "1T");
        using HostFile file = HostFile.FromPath(path);
        Assert.Contains("MaxForeignTableBytes", Assert.Throws<Qcow2UnsupportedException>(() => VdiTables.Judge(file, new TableMemory(1 << 20))).Message, StringComparison.Ordinal);
    }
}
