using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

/// <summary>What is said of wrong command lines, and of files that aren't images: what is wrong, and what to do.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("inf", "did you mean 'info'?")]
    [InlineData("dump-mp", "did you mean 'dump-map'?")]
    [InlineData("dump", "did you mean 'dump-map' or 'dump-header'?")]
    [InlineData("chekc", "did you mean 'check'?")]
    [InlineData("frobnicate", "the commands are dump-map, ")]
    public async Task UnknownCommand_IsNamedWithWhatWasMeant(string command, string hint)
    {
        QemuResult result = await Qcow2Tool.Run(command, "disk.qcow2");
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith($"qcow2: there is no command '{command}'\nqcow2: {hint}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoCommand_ListsThem()
    {
        QemuResult result = await Qcow2Tool.Run();
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("qcow2: a command is missing\nqcow2: the commands are ", result.Error, StringComparison.Ordinal);
    }

    /// <summary>Whether the command has such an option or not, and whether there is a command.</summary>
    [Theory]
    [InlineData("ls --help", "--partition", "2", "ls", "disk.qcow2", "/")]
    [InlineData("ls --help", "-l", "ls", "disk.qcow2", "/")]
    [InlineData("read --help", "--snapshot=x", "read", "disk.qcow2")]
    [InlineData("info --help", "-x", "info", "disk.qcow2")]
    [InlineData("--help", "--lenient", "disk.qcow2")]
    public async Task OptionBeforeTheCommand_IsToldItsPlace(string help, params string[] arguments) =>
        Assert.Equal(
            new QemuResult(2, "", $"qcow2: options come after the command, and not before it: '{arguments[0]}'\nqcow2: see 'qcow2 {help}'\n"),
            await Qcow2Tool.Run(arguments));

    [Fact]
    public async Task ArgumentsThatAreTooMany_AreOneLine() =>
        Assert.Equal(
            new QemuResult(2, "", "qcow2: Unrecognized command or argument 'b'.\nqcow2: see 'qcow2 info --help'\n"),
            await Qcow2Tool.Run("info", "a", "b", "c", "d"));

    [Theory]
    [InlineData("info", "disk.qcow2", "--outpt", "json")]
    [InlineData("info")]
    [InlineData("dump-map", "disk.qcow2", "--output", "xml")]
    [InlineData("read", "disk.qcow2", "--offset", "1x")]
    public async Task WrongUsage_IsALineEachAndNamesTheCommandsHelp(params string[] arguments)
    {
        QemuResult result = await Qcow2Tool.Run(arguments);
        Assert.Equal(2, result.ExitCode);
        string[] lines = result.Error.TrimEnd('\n').Split('\n');
        Assert.All(lines, line => Assert.StartsWith("qcow2: ", line, StringComparison.Ordinal));
        Assert.Equal($"qcow2: see 'qcow2 {arguments[0]} --help'", lines[^1]);
    }

    [Fact]
    public async Task EscapeSequences_DoNotReachTheTerminal()
    {
        QemuResult result = await Qcow2Tool.Run("\u001b[31mred");
        Assert.Equal(2, result.ExitCode);
        Assert.DoesNotContain('\u001b', result.Error);
    }

    [Fact]
    public async Task EveryCommand_HasHelpWithAnExample()
    {
        string root = (await Qcow2Tool.Run("--help")).Output;
        foreach (string command in Qcow2Stream.Cli.CommandList.Commands.Keys)
        {
            QemuResult help = await Qcow2Tool.Run(command, "--help");
            Assert.Equal((0, ""), (help.ExitCode, help.Error));
            Assert.Contains("Example: ", help.Output, StringComparison.Ordinal);
            Assert.Contains($"  {command} ", root, StringComparison.Ordinal);
        }

        Assert.Contains("Exit codes:", root, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cat", "ext4.qcow2", "/", "qcow2 ls")]
    [InlineData("ls", "v2.qcow2", "/", "qcow2 df")]
    [InlineData("dump-header", "chain-0.raw", null, "inspect")]
    public async Task Failure_SaysWhatToDo(string command, string image, string? path, string hint)
    {
        QemuResult result = await Qcow2Tool.Run([command, Repository.Image(image), .. path is null ? Array.Empty<string>() : [path]]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(hint, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Directory_IsNamedAsOne()
    {
        QemuResult result = await Qcow2Tool.Run("info", Repository.Root);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("directory", result.Error, StringComparison.Ordinal);
    }
}
