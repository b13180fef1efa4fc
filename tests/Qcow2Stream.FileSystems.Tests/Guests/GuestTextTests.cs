using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>
/// Names that aren't UTF-8. Of two that differ in such bytes alone, one gave the other's content. (That each of them leads to its own content, the trees of
/// bytes.qcow2 say; they were written by another program.)
/// </summary>
public sealed class GuestTextTests
{
    public static TheoryData<int> Partitions => [1, 2, 3];

    [Theory]
    [InlineData("67 72 C3 BC C3 9F 65", "grüße")]
    [InlineData("E9", @"\xe9")]
    [InlineData("61 C3", @"a\xc3")]
    [InlineData("ED A0 80", @"\xed\xa0\x80")]
    [InlineData("C0 AF", @"\xc0\xaf")]
    [InlineData("5C", @"\")]
    [InlineData("5C 78 65 39", @"\x5cxe9")]
    [InlineData("5C 78 45 39", @"\xE9")]
    [InlineData("5C 78 34 31", @"\x41")]
    [InlineData("5C 78 35 63", @"\x5cx5c")]
    [InlineData("5C 78 65", @"\xe")]
    [InlineData("5C E9", @"\\xe9")]
    [InlineData("", "")]
    public void Text_IsReversible(string bytes, string text)
    {
        byte[] name = Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(text, GuestText.FromBytes(name));
        Assert.Equal(name, GuestText.ToBytes(text));
    }

    /// <summary>Of few letters, so that what looks like an escape comes about.</summary>
    [Fact]
    public void Text_IsReversibleForAnyBytes()
    {
        Random random = new(20);
        HashSet<string> texts = [];
        HashSet<string> names = [];
        for (int i = 0; i < 200_000; i++)
        {
            byte[] name = new byte[random.Next(9)];
            random.GetItems("\\\\xx5ce98\u00e9\u20ac"u8, name);
            string text = GuestText.FromBytes(name);
            Assert.Equal(name, GuestText.ToBytes(text));
            Assert.Equal(names.Add(Convert.ToHexString(name)), texts.Add(text));
        }
    }

    [Theory]
    [MemberData(nameof(Partitions))]
    public void Names_HaveTheirBytes(int partition)
    {
        using Guest disk = GuestImages.Open($"bytes-{partition}", out _);
        using GuestFileSystem files = disk.Volumes.Single(v => v.Number == partition).OpenFileSystem();
        byte[] bytes = [.. "latin-1 "u8, 0xE9];
        GuestEntry entry = Assert.Single(files.Root.EnumerateChildren(), child => child.NameBytes.AsSpan().SequenceEqual(bytes));
        Assert.Equal("file 0\n", Text(entry));
        Assert.Equal("file 0\n", Text(files.Find(@"/latin-1 \xe9")!));
        Assert.Equal("file 0\n", Text(files.Find("/link")!));
        Assert.Equal("file 1\n", Text(files.Find(@"/latin-1 \xe8")!));
        Assert.Equal("inside\n", Text(files.Find(@"/link \xe9")!));
        Assert.Equal("file 9\n", Text(files.Find("/link to a backslash")!));
    }

    /// <summary>Listed by another program, byte by byte.</summary>
    [LinuxTheory]
    [MemberData(nameof(Partitions))]
    [UnsupportedOSPlatform("windows")]
    public void Copy_HasTheSameBytes(int partition)
    {
        using TempDirectory scratch = new();
        using Guest disk = GuestImages.Open($"bytes-{partition}", out _);
        using GuestFileSystem files = disk.Volumes.Single(v => v.Number == partition).OpenFileSystem();
        files.Root.CopyTo(scratch.File("out"));
        files.Find(@"/caf\xe9/inside")!.CopyInto(scratch.File("out"), @"\xfe");

        List<string> listed = Listed(scratch.File("out"));
        Assert.Contains($"6c6174696e2d3120e9 = {Hex("file 0\n")}", listed);
        Assert.Contains($"6c6174696e2d3120e8 = {Hex("file 1\n")}", listed);
        Assert.Contains($"fe = {Hex("inside\n")}", listed);
        Assert.Contains($"{Hex(@"\xe9")} = {Hex("file 9\n")}", listed);
        Assert.Contains($"6c696e6b20e9 -> 636166e92f696e73696465", listed);
        Assert.Equal(files.Root.EnumerateChildren().Count() + 1, listed.Count);
    }

    private static string Text(GuestEntry file) => new StreamReader(file.Open()).ReadToEnd();

    private static string Hex(string text) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text));

    /// <summary>The names in a directory, in hexadecimal, each with its content or target. It is then deleted: .NET finds no such names.</summary>
    private static List<string> Listed(string directory)
    {
        const string Script = """
            cd "$1" || exit; for name in * .[!.]*; do
              [ -e "$name" ] || [ -L "$name" ] || continue
              if [ -L "$name" ]; then arrow='->' value=$(readlink -n -- "$name" | od -An -v -tx1); else arrow='=' value=$(cat -- "$name" 2> /dev/null | od -An -v -tx1); fi
              printf '%s %s %s\n' "$(printf %s "$name" | od -An -v -tx1 | tr -d ' \n')" "$arrow" "$(printf %s "$value" | tr -d ' \n')"
            done
            rm -rf -- "$1"
            """;
        using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", Script, "sh", directory]) { RedirectStandardOutput = true, Environment = { ["LC_ALL"] = "C" } })!;
        string output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
