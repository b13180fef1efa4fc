using System.Text.RegularExpressions;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Readme;

/// <summary>The README's code is what compiles here, and does what the README says.</summary>
[Collection(nameof(ReadmeTests))]
[CollectionDefinition(nameof(ReadmeTests), DisableParallelization = true)]
public sealed partial class ReadmeTests
{
    [Fact]
    public void EveryCodeBlock_IsInTheExamples()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "src", "Qcow2Stream.FileSystems", "README.md"));
        string examples = File.ReadAllText(
            Path.Combine(Repository.Root, "tests", "Qcow2Stream.FileSystems.Tests", "Readme", "ReadmeExamples.cs"));
        MatchCollection blocks = CodeBlock().Matches(readme);
        Assert.Equal(3, blocks.Count);
        Assert.All(blocks, block => Assert.Contains(Indented(block.Groups["code"].Value), examples, StringComparison.Ordinal));
    }

    [Fact]
    public void ReadFile_FindsIt() => Assert.Equal("the disk (ext4): NAME=\"Guest Linux\"\n", Run(ReadmeExamples.ReadFile, "ext4"));

    [Fact]
    public void WalkTree_ListsEveryVolume()
    {
        string[] lines = Run(ReadmeExamples.WalkTree, "mbr").Split('\n');
        Assert.Contains("1 File /etc/os-release", lines);
        Assert.Contains("2 Directory /some folder", lines);
        Assert.Contains("6 Link /link", lines);
    }

    /// <summary>From a disk without partitions, and from one with them.</summary>
    [Theory]
    [InlineData("ext4", "1 files, 81 bytes\n")]
    [InlineData("mbr-cut", "1 files, 49 bytes\n")]
    public void CopyDirectory_CopiesIt(string disk, string expected) => Assert.Equal(expected, Run(ReadmeExamples.CopyDirectory, disk));

    private static string Indented(string code) =>
        string.Concat(code.TrimEnd('\n').Split('\n').Select(line => (line.Length == 0 ? "" : "        " + line) + "\n"));

    /// <summary>Runs an example in a directory where the disk goes by the README's names.</summary>
    private static string Run(Action example, string disk)
    {
        using TempDirectory directory = new();
        File.Copy(GuestImages.Disk(disk), directory.File("disk.qcow2"));
        using (Qcow2Chain chain = Qcow2Chain.Open(directory.File("disk.qcow2")))
        using (FileStream raw = File.Create(directory.File("disk.raw")))
        {
            chain.CopySparseTo(raw);
        }

        (string home, TextWriter console) = (Environment.CurrentDirectory, Console.Out);
        using StringWriter written = new() { NewLine = "\n" };
        try
        {
            Environment.CurrentDirectory = directory.Path;
            Console.SetOut(TextWriter.Synchronized(written));
            example();
            return written.ToString();
        }
        finally
        {
            Environment.CurrentDirectory = home;
            Console.SetOut(console);
        }
    }

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
