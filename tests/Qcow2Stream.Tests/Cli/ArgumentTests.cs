using System.Reflection;
using CliWrap.Buffered;
using Qcow2Stream.Cli;
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
        // "-h" behind "--" is a name, and only makes all commands.
        string[] Words(params string[] more)
        {
            System.CommandLine.ParseResult parsed = Arguments.Parse([.. arguments, .. more]);
            return [.. parsed.CommandResult.Tokens.Select(token => token.Value), .. parsed.Errors.Select(error => error.Message), .. parsed.UnmatchedTokens];
        }

        Assert.Equal(Words("--", "x"), Words("--", "-h").Select(word => word.Replace("-h", "x", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Version_IsThatOfTheAssembly() =>
        Assert.Equal(
            typeof(CommandList).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion + "\n",
            (await Qcow2Tool.Run("--version")).Output);
}
