using System.Reflection;
using System.Text.RegularExpressions;
using Qcow2Stream.Tests.Guests;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Readme;

/// <summary>The README's code is what compiles here, and does what the README says.</summary>
[Collection(nameof(ReadmeTests))]
[CollectionDefinition(nameof(ReadmeTests), DisableParallelization = true)]
public sealed partial class ReadmeTests
{
    private static string Readme { get; } = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

    [Fact]
    public void EveryCodeBlock_IsInTheExamples()
    {
        string examples = File.ReadAllText(
            Path.Combine(Repository.Root, "tests", "Qcow2Stream.Tests", "Readme", "ReadmeExamples.cs"));
        MatchCollection blocks = CodeBlock().Matches(Readme);
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains(Indented(block.Groups["code"].Value), examples, StringComparison.Ordinal));
    }

    /// <summary>Every row of the README's tables of features and of attacks names the tests that show it, and they are there.</summary>
    [Theory]
    [InlineData("## Images from strangers")]
    [InlineData("## Every feature of the format")]
    public void TestsNamed_Exist(string section)
    {
        HashSet<string> tests = [.. typeof(ReadmeTests).Assembly.GetTypes().Select(t => t.Name)];
        string text = Readme[Readme.IndexOf(section, StringComparison.Ordinal)..];
        string[] rows = [.. text[..text.IndexOf("\n## ", 1, StringComparison.Ordinal)]
            .Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal)).Skip(1)];
        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
        {
            MatchCollection named = CodeSpan().Matches(row.Split('|')[^2]);
            Assert.NotEmpty(named);
            Assert.All(named, name => Assert.Contains(name.Groups[1].Value, tests));
        });
    }

    [Fact]
    public void EveryOption_IsInTheReadme() => Assert.All(
        (PropertyInfo[])[.. typeof(Qcow2OpenOptions).GetProperties(), .. typeof(HttpFileOptions).GetProperties()],
        option => Assert.Contains($"`{option.Name}`", Readme, StringComparison.Ordinal));

    [Fact]
    public void ReadDisk_ListsWhatIsStored() =>
        Assert.Equal(
            "12288 bytes at 0\n16520 bytes at 20480\n8192 bytes at 49152\n8192 bytes at 81920\n",
            Run(ReadmeExamples.ReadDisk, Repository.Image("chain-3.qcow2")));

    [Fact]
    public void ReadFileSystem_ListsTheGuestsFiles() =>
        Assert.Equal(
            "7 Grüße.txt\n150001 lines in a file.txt\n45 os-release\n",
            Run(ReadmeExamples.ReadFileSystem, GuestImages.Disk("mbr")));

    [Fact]
    public void ReadAtOnce_GivesEachReaderItsOwnCursor() =>
        Assert.Equal(
            string.Concat(Enumerable.Repeat("NAME=\"Guest Linux\"\n", 4)),
            Run(ReadmeExamples.ReadAtOnce, GuestImages.Disk("ntfs")));

    [Fact]
    public void WalkMap_PrintsTheTopLayersData() =>
        Assert.Equal(
            "8192 bytes at 0 are at 40960 in disk.qcow2\n8192 bytes at 81920 are at 49152 in disk.qcow2\n",
            Run(ReadmeExamples.WalkMap, Repository.Image("chain-3.qcow2")));

    private static string Indented(string code) =>
        string.Concat(code.TrimEnd('\n').Split('\n').Select(line => (line.Length == 0 ? "" : "        " + line) + "\n"));

    /// <summary>Runs an example in a directory where the image goes by the README's name.</summary>
    private static string Run(Action example, string image)
    {
        using TempDirectory directory = new();
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(Repository.Image("chain-3.qcow2"))!, "chain-*"))
        {
            File.Copy(file, directory.File(Path.GetFileName(file)));
        }

        File.Copy(image, directory.File("disk.qcow2"));
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

    [GeneratedRegex("`([A-Za-z0-9]+)`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
