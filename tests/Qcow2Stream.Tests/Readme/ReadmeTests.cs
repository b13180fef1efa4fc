using System.Reflection;
using System.Text.RegularExpressions;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Fuzz;
using Qcow2Stream.Tests.Cli;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Tests.Readme;

/// <summary>The code of the README and of the documents that it leads to is what compiles here, and does what they say.</summary>
[Collection(nameof(ReadmeTests))]
[CollectionDefinition(nameof(ReadmeTests), DisableParallelization = true)]
public sealed partial class ReadmeTests
{
    /// <summary>The README, and every document that it leads to.</summary>
    private static IReadOnlyDictionary<string, string> Documents { get; } = Linked("README.md");

    private static string AllText { get; } = string.Join('\n', Documents.Values);

    [Fact]
    public void Readme_IsShort() => Assert.InRange(Documents["README.md"].Split('\n').Length, 100, 250);

    /// <summary>What is linked is there, also the heading in it.</summary>
    [Fact]
    public void EveryLink_LeadsSomewhere()
    {
        Assert.True(Documents.Count >= 7, string.Join(", ", Documents.Keys));
        foreach ((string document, string text) in Documents)
        {
            Assert.All(Links(document, text), link =>
            {
                string path = Path.Combine(Repository.Root, link.Path);
                Assert.True(File.Exists(path), $"{document}: {link.Path}");
                if (link.Heading.Length > 0)
                {
                    Assert.Contains(link.Heading, Heading().Matches(File.ReadAllText(path)).Select(match => AnchorOf(match.Groups[1].Value)));
                }
            });
        }
    }

    [Fact]
    public void Picture_IsTheMapOfTheFirstCommand()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("chain-3.qcow2"));
        using MemoryStream drawn = new();
        chain.Map().WriteSvg(drawn);
        Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, "src", "Package", "map.svg")), System.Text.Encoding.UTF8.GetString(drawn.ToArray()));
    }

    /// <summary>Each example is a file of its own, in no namespace of the library's: what its block imports is all that it has.</summary>
    [Fact]
    public void EveryCodeBlock_IsAnExampleWithItsUsings()
    {
        string[] examples = [.. Directory
            .GetFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(path => path.Contains("ReadmeExamples", StringComparison.Ordinal)).Select(File.ReadAllText)];
        MatchCollection blocks = CodeBlock().Matches(AllText);
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains(examples, example =>
            example.StartsWith(block.Groups["usings"].Value + "namespace ", StringComparison.Ordinal)
            && example.Contains(Indented(block.Groups["code"].Value), StringComparison.Ordinal)));
    }

    /// <summary>What a shell is to run: the tool's lines are run; of what takes long, that it is there.</summary>
    [Fact]
    public async Task EveryShellLine_Works()
    {
        string[] lines = [.. ShellBlock().Matches(AllText).SelectMany(block => block.Groups["code"].Value.TrimEnd().Split('\n'))];
        Assert.NotEmpty(lines);
        foreach (string line in lines)
        {
            const string Tool = "dotnet run --project src/Qcow2Stream.Cli -- ";
            string[] words = line.Split(' ');
            if (line.StartsWith(Tool, StringComparison.Ordinal))
            {
                string[] arguments = [.. line[Tool.Length..].Split(' ').Select(word =>
                    word.Contains('/', StringComparison.Ordinal) ? Path.Combine(Repository.Root, word) : word)];
                QemuResult result = await Qcow2Tool.Run(arguments);
                Assert.Equal((0, ""), (result.ExitCode, result.Error));
                Assert.NotEmpty(result.Output);
            }
            else if (words[0] == "qcow2")
            {
                await RunInstalled(words[1..]);
            }
            else if (words is ["dotnet", "run", .., "--project", var project])
            {
                Assert.True(Directory.Exists(Path.Combine(Repository.Root, project)), line);
            }
            else if (words[0].EndsWith("fuzz.sh", StringComparison.Ordinal))
            {
                Assert.True(File.Exists(Path.Combine(Repository.Root, words[0])), line);
                Assert.Contains(words[1], HarnessList.Names);
            }
            else
            {
                Assert.Equal("dotnet test", line);
            }
        }
    }

    /// <summary>A line of the tool with names that stand for the reader's: a disk of a guest, and outputs, which must then be there.</summary>
    private static async Task RunInstalled(string[] words)
    {
        using TempDirectory directory = new();
        File.Copy(GuestImages.Disk("ext4"), directory.File("disk.qcow2"));
        string[] arguments = [words[0], .. words[1..].Select((word, i) => i is 0 || i == words.Length - 2 ? directory.File(Path.GetFileName(word)) : word)];
        if (words[0] == "serve")
        {
            await using ServeProcess server = await ServeProcess.Start(arguments[1..]);
            Assert.True(File.Exists(arguments[^1]), string.Join(' ', words));
            server.Signal(Signals.Interrupt);
            Assert.Equal((0, ""), await server.End());
            return;
        }

        QemuResult result = await Qcow2Tool.Run(arguments);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.True(Path.Exists(arguments[^1]), string.Join(' ', words));
    }

    [Fact]
    public void EveryBlock_IsOfAKindThatIsTested() => Assert.All(
        Fence().Matches(AllText).Where((_, index) => index % 2 == 0), fence => Assert.Contains(fence.Groups[1].Value, (string[])["csharp", "sh", "text"]));

    [Fact]
    public void EveryCommand_IsInTheReadmeWithAnExample()
    {
        string text = Documents["src/Qcow2Stream.Cli/README.md"];
        Assert.All(Qcow2Stream.Cli.CommandList.Commands.Keys, command =>
        {
            Assert.Contains($"| `qcow2 {command} ", text, StringComparison.Ordinal);
            Assert.Matches($"(?m)^(dotnet run --project src/Qcow2Stream.Cli -- |qcow2 ){command} ", text);
        });
    }

    /// <summary>Every row of the tables of features and of attacks names the tests that show it, and they are there.</summary>
    [Theory]
    [InlineData("src/Qcow2Stream/SECURITY.md", "## What stops which attack")]
    [InlineData("src/Qcow2Stream/README.md", "## Every feature of the format")]
    public void TestsNamed_Exist(string document, string section)
    {
        HashSet<string> tests = [.. typeof(ReadmeTests).Assembly.GetTypes().Select(t => t.Name), .. TestsOfLibraries()];
        string text = Documents[document];
        text = text[text.IndexOf(section, StringComparison.Ordinal)..];
        int end = text.IndexOf("\n## ", 1, StringComparison.Ordinal);
        string[] rows = [.. text[..(end < 0 ? text.Length : end)]
            .Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal)).Skip(1)];
        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
        {
            MatchCollection named = CodeSpan().Matches(row.Split('|')[^2]);
            Assert.NotEmpty(named);
            Assert.All(named, name => Assert.Contains(name.Groups[1].Value, tests));
        });
    }

    /// <summary>Those of the projects that this one does not refer to: a class of tests has a file of its name.</summary>
    private static IEnumerable<string> TestsOfLibraries() =>
        from project in Directory.GetDirectories(Path.Combine(Repository.Root, "tests"), "Qcow2Stream.*.Tests")
        from file in Directory.GetFiles(project, "*Tests.cs", SearchOption.AllDirectories)
        let name = Path.GetFileNameWithoutExtension(file)
        where File.ReadAllText(file).Contains($" class {name}", StringComparison.Ordinal)
        select name;

    [Fact]
    public void EveryOption_IsInTheReadme() => Assert.All(
        (PropertyInfo[])[.. typeof(Qcow2OpenOptions).GetProperties(), .. typeof(HttpFileOptions).GetProperties()],
        option => Assert.Contains($"`{option.Name}`", Documents["src/Qcow2Stream/README.md"], StringComparison.Ordinal));

    [Fact]
    public void ReadDisk_ListsWhatIsStored() =>
        Assert.Equal(
            "12288 bytes at 0\n16520 bytes at 20480\n8192 bytes at 49152\n8192 bytes at 81920\n",
            Run(ReadmeExamples.ReadDisk.Run, Repository.Image("chain-3.qcow2")));

    /// <summary>From a disk with partitions, and from one without them.</summary>
    [Theory]
    [InlineData("mbr", "7 Grüße.txt\n150001 lines in a file.txt\n45 os-release\n")]
    [InlineData("ntfs", "353000 compressed")]
    public void ReadFileSystem_ListsTheGuestsFiles(string disk, string expected) =>
        Assert.Contains(expected, Run(ReadmeExamples.ReadFileSystem.Run, GuestImages.Disk(disk)), StringComparison.Ordinal);

    [Theory]
    [InlineData("ext4")]
    [InlineData("mbr-cut")]
    public void ReadAtOnce_GivesEachReaderItsOwnCursor(string disk) =>
        Assert.Equal(
            string.Concat(Enumerable.Repeat("NAME=\"Guest Linux\"\n", 4)),
            Run(ReadmeExamples.ReadAtOnce.Run, GuestImages.Disk(disk)));

    [Fact]
    public void WalkMap_PrintsTheTopLayersData() =>
        Assert.Equal(
            "8192 bytes at 0 are at 40960 in disk.qcow2\n8192 bytes at 81920 are at 49152 in disk.qcow2\n",
            Run(ReadmeExamples.WalkMap.Run, Repository.Image("chain-3.qcow2")));

    /// <summary>From a disk without partitions, and from one with them.</summary>
    [Theory]
    [InlineData("ext4")]
    [InlineData("mbr-cut")]
    public void ReadFile_CopiesItOut(string disk) => Run(
        ReadmeExamples.ReadFile.Run,
        GuestImages.Disk(disk),
        after: () => Assert.StartsWith("NAME=\"Guest Linux\"\n", File.ReadAllText("os-release"), StringComparison.Ordinal));

    [Fact]
    public void Listen_PrintsWhatIsRead()
    {
        string printed = Run(ReadmeExamples.Listen.Run, Repository.Image("chain-3.qcow2"));
        Assert.Matches(@"(?m)^qcow2stream\.host\.read: [1-9][0-9]*\r?$", printed);
        Assert.Matches(@"(?m)^qcow2stream\.open\.duration: [0-9.E-]+ s\r?$", printed);
    }

    [Fact]
    public void Convert_WritesTheDisk() => Run(ReadmeExamples.Convert.Run, Repository.Image("chain-3.qcow2"), after: () =>
    {
        using var chain = Qcow2Chain.Open("disk.qcow2");
        Assert.Equal(chain.ReadWholeDisk(), File.ReadAllBytes("disk.raw"));
    });

    [Fact]
    public void BringUpToDate_MakesTheBackupTheDisk()
    {
        string image = Repository.Image("snapshots.qcow2");
        using var then = Qcow2Chain.Open(image, new Qcow2OpenOptions { Snapshot = "first" });
        using var now = Qcow2Chain.Open(image);
        byte[] before = then.ReadWholeDisk();
        Assert.NotEqual(before, now.ReadWholeDisk());
        Run(
            ReadmeExamples.BringUpToDate.Run,
            image,
            before: () => File.WriteAllBytes("backup.raw", before),
            after: () => Assert.Equal(now.ReadWholeDisk(), File.ReadAllBytes("backup.raw")));
    }

    [Fact]
    public void OpenFromServer_ReadsTheBootSector()
    {
        using Remote.WebServer server = new(GuestImages.Folder("."));
        Assert.Equal(
            "367001600 bytes, boot signature 55aa\n",
            Run(() => ReadmeExamples.OpenFromServer.Run(server.AddressOf("gpt.qcow2")).GetAwaiter().GetResult(), Repository.Image("empty.qcow2")));
    }

    private static Dictionary<string, string> Linked(string first)
    {
        Dictionary<string, string> found = [];
        Queue<string> next = new([first]);
        while (next.TryDequeue(out string? document))
        {
            if (!found.ContainsKey(document))
            {
                string text = File.ReadAllText(Path.Combine(Repository.Root, document));
                found.Add(document, text);
                foreach ((string path, _) in Links(document, text).Where(link => link.Path.EndsWith(".md", StringComparison.Ordinal)))
                {
                    next.Enqueue(path);
                }
            }
        }

        return found;
    }

    /// <summary>The files of the repository that a document links, from its root, and the headings in them.</summary>
    private static IEnumerable<(string Path, string Heading)> Links(string document, string text)
    {
        foreach (string target in Link().Matches(text).Select(match => match.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal)))
        {
            string[] parts = target.Split('#', 2);
            string path = parts[0].Length == 0 ? document : Path.GetRelativePath(
                Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(document)!, parts[0])));
            yield return (path.Replace('\\', '/'), parts.Length > 1 ? parts[1] : "");
        }
    }

    /// <summary>A heading's anchor, as servers of repositories make it.</summary>
    private static string AnchorOf(string heading) => string.Concat(
        heading.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-')).Replace(' ', '-');

    private static string Indented(string code) =>
        string.Concat(code.TrimEnd('\n').Split('\n').Select(line => (line.Length == 0 ? "" : "        " + line) + "\n"));

    /// <summary>Runs an example in a directory where the image goes by the README's name.</summary>
    private static string Run(Action example, string image, Action? before = null, Action? after = null)
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
            before?.Invoke();
            example();
            after?.Invoke();
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

    [GeneratedRegex(@"\]\(([^()\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("^```(.*)$", RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex("```sh\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    [GeneratedRegex("```csharp\n(?<usings>(using [A-Za-z0-9.]+;\n)*\n?)(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
