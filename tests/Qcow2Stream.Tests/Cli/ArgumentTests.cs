using System.Reflection;
using CliWrap;
using CliWrap.Buffered;
using Qcow2Stream.Cli;
using Qcow2Stream.FileSystems;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

/// <summary>Names of the guest and of files that look like something else to a parser of command lines.</summary>
public sealed class ArgumentTests : IDisposable
{
    private static readonly string Disk = Repository.Image("ext4.qcow2");

    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("ls", "/h")]
    [InlineData("ls", "/?")]
    [InlineData("ls", "-?")]
    [InlineData("ls", "true")]
    [InlineData("ls", "@home")]
    [InlineData("ls", "@")]
    [InlineData("ls", "[suggest]")]
    [InlineData("ls", "info")]
    [InlineData("ls", "/h=1")]
    [InlineData("cat", "/h")]
    [InlineData("cat", "/?")]
    [InlineData("cat", "@home")]
    public async Task NameInTheGuest_IsNothingElse(string command, string name) =>
        Assert.Equal(
            new QemuResult(1, "", $"qcow2: '{name}' does not exist on the disk (ext4)\n"),
            await Qcow2Tool.Run(command, Disk, name));

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("-l")]
    [InlineData("--output=json")]
    public async Task NameBehindTwoDashes_IsNothingElse(string name) =>
        Assert.Equal(
            new QemuResult(1, "", $"qcow2: '{name}' does not exist on the disk (ext4)\n"),
            await Qcow2Tool.Run("ls", "--", Disk, name));

    /// <summary>The words of a file on the host, of whatever name, stay in it.</summary>
    [Fact]
    public async Task NameOfAFileBehindAnAt_IsNotReplacedByTheFilesWords()
    {
        string words = _scratch.Write("words", "--secret word"u8.ToArray());
        QemuResult result = await Qcow2Tool.Run("ls", Disk, "@" + words);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains($"'@{words}' does not exist", result.Error, StringComparison.Ordinal);
        Assert.Equal(
            $"qcow2: there is no command '@{words}'",
            (await Qcow2Tool.Run("@" + words)).Error.Split('\n')[0]);
    }

    [Fact]
    public async Task OptionsWithoutAValue_TakeNoName()
    {
        _scratch.Write("false", await File.ReadAllBytesAsync(Disk));
        QemuResult expected = await Qcow2Tool.Run("ls", Disk, "-l");
        Assert.Equal(0, expected.ExitCode);
        BufferedCommandResult result = await Qcow2Tool.Command("ls", "-l", "false").WithWorkingDirectory(_scratch.Path).ExecuteBufferedAsync();
        Assert.Equal(expected, new QemuResult(result.ExitCode, result.StandardOutput, result.StandardError));
        QemuResult wanted = await Qcow2Tool.Run("ls", Disk, "-l", "true");
        Assert.Equal((1, "qcow2: 'true' does not exist on the disk (ext4)\n"), (wanted.ExitCode, wanted.Error));
    }

    [Fact]
    public async Task ShortOptions_CanBeWrittenAsOne() =>
        Assert.Equal(await Qcow2Tool.Run("ls", "-l", "-R", Disk), await Qcow2Tool.Run("ls", "-lR", Disk));

    /// <summary>With all commands or with the one that is named, what the words mean is the same.</summary>
    [Theory]
    [InlineData("ls", "disk", "/h")]
    [InlineData("ls", "disk", "@x")]
    [InlineData("ls", "-l", "true")]
    [InlineData("ls", "-lR", "disk", "-?")]
    [InlineData("ls", "--", "disk", "-l")]
    [InlineData("cp", "disk", "[suggest]", "/?")]
    [InlineData("dump-map", "disk", "--start", "-1")]
    public void OneCommandAlone_ReadsItsArgumentsAsAmongAll(params string[] arguments)
    {
        // "-h" after "--" is a name, and only makes all commands.
        string[] Words(params string[] more)
        {
            System.CommandLine.ParseResult parsed = Arguments.Parse([.. arguments, .. more]);
            return [.. parsed.CommandResult.Tokens.Select(token => token.Value), .. parsed.Errors.Select(error => error.Message), .. parsed.UnmatchedTokens];
        }

        Assert.Equal(Words("--", "x"), Words("--", "-h").Select(word => word.Replace("-h", "x", StringComparison.Ordinal)));
    }

    /// <summary>Values that are empty, odd or huge: a message, and never a stack trace.</summary>
    [Theory]
    [InlineData(2, "DEST is empty; a name is needed", "cp", "ext4.qcow2", "/hello.txt", "")]
    [InlineData(2, "DEST is empty; a name is needed", "cp", "ext4.qcow2", "/", "")]
    [InlineData(2, "OUT is empty; a name is needed", "convert", "ext4.qcow2", "")]
    [InlineData(2, "A is empty; a name is needed", "compare", "", "ext4.qcow2")]
    [InlineData(2, "B is empty; a name is needed", "compare", "ext4.qcow2", "")]
    [InlineData(2, "--data-file is empty; a name is needed", "read", "data-file.qcow2", "--data-file", "")]
    [InlineData(2, "--disk is empty; a name is needed", "ls", "ext4.qcow2", "/", "--disk", "")]
    [InlineData(2, "--data-file is empty; a name is needed", "ls", "--data-file=", "data-file.qcow2", "/")]
    [InlineData(2, "--secret-file: there is no file ''", "ls", "--secret-file=", "ext4.qcow2", "/")]
    [InlineData(2, "--partition needs a number, not ''", "ls", "--partition=", "1", "ext4.qcow2")]
    [InlineData(2, "PATH is empty; a name is needed", "ls", "ext4.qcow2", "")]
    [InlineData(2, "PATH is empty; a name is needed", "cat", "ext4.qcow2", "")]
    [InlineData(2, "PATH is empty; a name is needed", "cp", "ext4.qcow2", "", "nowhere")]
    [InlineData(1, "Could not find file '--data-file='", "info", "--", "--data-file=")]
    [InlineData(2, "--disk is empty; a name is needed", "ls", "ext4.qcow2", "/", "--disk", "ext4.qcow2", "--disk", "")]
    [InlineData(2, "qcow2: --secret-file: there is no file ''\n", "read", "aes.qcow2", "--secret-file", "")]
    [InlineData(2, "qcow2: --secret-file: there is no file 'missing'\n", "read", "aes.qcow2", "--secret-file", "missing")]
    [InlineData(2, "qcow2: --secret-file: there is no file 'missing'\n", "ls", "aes.qcow2", "--secret-file", "missing")]
    [InlineData(2, "qcow2: --header-file: there is no file ''\n", "read", "http://127.0.0.1:1/x", "--header-file", "")]
    [InlineData(2, "qcow2: --header-file: there is no file 'missing'\n", "read", "http://127.0.0.1:1/x", "--header-file", "missing")]
    [InlineData(1, "there is no file 'ftp://host/disk', and as an address it is not read (http and https are)", "info", "ftp://host/disk")]
    [InlineData(2, "there is no file 'file:///disk', and as an address it is not read (http and https are)", "compare", "ext4.qcow2", "file:///disk")]
    [InlineData(1, "IMAGE is not an address", "read", "http://")]
    [InlineData(1, "there is no snapshot ''", "read", "snapshots.qcow2", "--snapshot", "")]
    [InlineData(1, "there is no bitmap ''", "dump-map", "bitmaps.qcow2", "--bitmap", "")]
    [InlineData(2, "--bitmap goes with --output text or json", "dump-map", "bitmaps.qcow2", "--bitmap", "coarse", "--output", "human")]
    [InlineData(1, "there is no partition -1", "ls", "ext4.qcow2", "--partition", "-1")]
    [InlineData(2, "--partition needs a number, not ''\n", "ls", "ext4.qcow2", "--partition", "")]
    [InlineData(2, "--partition needs a number, not 'x'\n", "ls", "ext4.qcow2", "--partition", "x")]
    [InlineData(2, "--partition needs a number, not '2147483648'\n", "ls", "ext4.qcow2", "--partition", "2147483648")]
    [InlineData(2, "--port needs a number from 0 to 65535, not 'x'\n", "serve", "ext4.qcow2", "--port", "x")]
    [InlineData(2, "--follow", "read", "ext4.qcow2", "--follow", "http://")]
    [InlineData(2, "expects a single argument", "dump-map", "ext4.qcow2", "--start", "1", "--start", "2")]
    [InlineData(2, "--start", "dump-map", "ext4.qcow2", "--start", "")]
    [InlineData(2, "there is no option '--otput'; did you mean --output?", "dump-map", "--otput", "json", "ext4.qcow2")]
    [InlineData(2, "there is no option '--lenght'; did you mean --length?", "read", "ext4.qcow2", "--lenght=5")]
    [InlineData(2, "there is no option '-x'\n", "info", "-x", "ext4.qcow2")]
    [InlineData(2, "Unrecognized command or argument '-x'", "info", "ext4.qcow2", "--", "-x")]
    [InlineData(2, "--offset needs a size such as 4096, 64K or 2G, not 'x'", "read", "-odd-name", "--offset", "x")]
    [InlineData(2, "cp needs PATH and DEST\n", "cp", "ext4.qcow2")]
    [InlineData(2, "dump-map needs IMAGE\n", "dump-map")]
    [InlineData(2, "qcow2: changes needs --from\n", "changes", "ext4.qcow2")]
    [InlineData(2, "qcow2: changes needs IMAGE and --from\n", "changes")]
    [InlineData(2, "--from needs a value\n", "changes", "ext4.qcow2", "--from")]
    [InlineData(2, "--port needs a value\n", "serve", "ext4.qcow2", "--port")]
    [InlineData(2, "--start", "dump-map", "ext4.qcow2", "--start")]
    [InlineData(2, "''", "completion", "")]
    [InlineData(2, "there is no command ''", "")]
    [InlineData(0, "", "read", "ext4.qcow2", "--offset", "9223372036854775807", "--length", "9223372036854775807")]
    [InlineData(0, "", "dump-map", "ext4.qcow2", "--start", "9223372036854775807")]
    [InlineData(0, "", "dump-map", "bitmaps.qcow2", "--bitmap", "coarse", "--start", "9223372036854775807")]
    public async Task OddValue_IsAMessage(int exitCode, string message, params string[] arguments)
    {
        QemuResult result = await Qcow2Tool.Run([.. arguments.Select(a => a.EndsWith(".qcow2", StringComparison.Ordinal) ? Repository.Image(a) : a)]);
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Output));
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.All(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("qcow2: ", line, StringComparison.Ordinal));
    }

    /// <summary>The runtime puts U+FFFD in the place of bytes that aren't UTF-8: another name, of another file.</summary>
    [LinuxTheory]
    [InlineData("ls", "DISK")]
    [InlineData("cp", "DISK", "/hello.txt")]
    [InlineData("convert", "DISK")]
    [InlineData("read", "DISK", "--secret-file")]
    public async Task NameThatIsNotUtf8_IsRefused(params string[] words)
    {
        string[] command = [.. words.Select(word => word.Replace("DISK", Disk, StringComparison.Ordinal))];
        BufferedCommandResult result = await CliWrap.Cli.Wrap("sh").WithValidation(CommandResultValidation.None)
            .WithArguments(["-c", "name=$(printf 'caf\\351'); exec \"$@\" \"$name\"", "sh", "dotnet", Qcow2Tool.Assembly, .. command])
            .WithWorkingDirectory(_scratch.Path)
            .ExecuteBufferedAsync();
        string[] lines = result.StandardError.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((2, ""), (result.ExitCode, result.StandardOutput));
        Assert.Equal(
            @"qcow2: 'caf\xe9' is not UTF-8: a name in the guest is given as it stands here, with \xHH; a file of this system can't be opened by such a name", lines[0]);
        Assert.Equal($"qcow2: see 'qcow2 {words[0]} --help'", lines[1]);
        Assert.Equal(2, lines.Length);
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Path));
    }

    /// <summary>What looks as if it were such a name, and is text.</summary>
    [Theory]
    [InlineData(@"caf\xe9")]
    [InlineData("caf\uFFFD")]
    public async Task NameThatLooksLikeOther_IsAName(string name) =>
        Assert.Equal(
            new QemuResult(1, "", $"qcow2: '{name}' does not exist on the disk (ext4)\n"),
            await Qcow2Tool.Run("ls", Disk, name));

    /// <summary>What the library says of its options is said in the tool's words, which has none for them.</summary>
    [Fact]
    public void LimitOfADirectory_NamesNoOptionOfTheLibrary()
    {
        using Guest guest = Guest.Open(Qcow2Chain.Open(Disk), new GuestOptions { MaxDirectoryEntries = 1 });
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        GuestException fault = Assert.Throws<GuestException>(() => files.Root.EnumerateChildren().Count());
        Assert.Equal("it has more than 1 entries: this tool allows no more", OptionWords.Of(fault));
        StringWriter messages = new();
        new GuestFaults(messages).Report("/", fault.Message);
        Assert.Equal("qcow2: /: it has more than 1 entries: this tool allows no more" + Environment.NewLine, messages.ToString());
    }

    /// <summary>An inspection's lines too.</summary>
    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task Inspection_NamesTheToolsOptions(string output)
    {
        QemuResult result = await Qcow2Tool.Run("inspect", Repository.Image("chain-3.qcow2"), "--follow", "none", "--output", output);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("(to allow it: --follow here)", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("FollowPolicy", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_IsThatOfTheAssembly() =>
        Assert.Equal(
            typeof(CommandList).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion + "\n",
            (await Qcow2Tool.Run("--version")).Output);
}
