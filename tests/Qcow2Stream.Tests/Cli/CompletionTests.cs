using CliWrap.Buffered;
using Qcow2Stream.Cli;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

/// <summary>The completion scripts, in the shells that they are for.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public CompletionTests()
    {
        string tool = _directory.Write("qcow2", System.Text.Encoding.UTF8.GetBytes(
            $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "qcow2.dll")}' \"$@\"\n"));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }

    public void Dispose() => _directory.Dispose();

    [ShellFact("bash")]
    public async Task Bash_CompletesCommandsOptionsValuesAndFiles()
    {
        // Bash takes '=' for the end of a word, replaces what is after it, and completes files if nothing is offered.
        Task<string[]> Complete(params string[] words) => Run("bash", ["--norc", "-c", """
            source <(qcow2 completion bash)
            line=$*; last=${line##* }; word=${last##*=}
            COMP_LINE="$line behind"; COMP_POINT=${#line}
            _qcow2 qcow2 "$word"
            ((${#COMPREPLY[@]})) || COMPREPLY=($(compgen -f -- "$word"))
            printf '%s\n' "${COMPREPLY[@]/#/${last%"$word"}}"
            """, "bash", .. words]);
        await Check(Complete);
        Assert.Equal(["complete -o default -F _qcow2 qcow2"], await Run("bash", "--norc", "-c", "source <(qcow2 completion bash); complete -p qcow2"));
    }

    [ShellFact("zsh")]
    public async Task Zsh_CompletesCommandsOptionsValuesAndFiles()
    {
        // What belongs to its editor is stood in for: it says what would be offered, and filters by prefix.
        Task<string[]> Complete(params string[] words) => Run("zsh", ["-f", "-c", """
            compdef() { : }
            compset() { kept=${PREFIX%%=*}=; PREFIX=${PREFIX#*=} }
            compadd() { print -rl -- ${(M)found:#$PREFIX*} }
            _files() { local -a files=($PREFIX*(N)); print -rl -- $kept$^files }
            source <(qcow2 completion zsh)
            words=("$@"); CURRENT=$#; PREFIX=$words[CURRENT]; words[CURRENT]+=behind
            _qcow2
            """, "zsh", .. words]);
        await Check(Complete);
    }

    [ShellFact("fish")]
    public async Task Fish_CompletesCommandsOptionsValuesAndFiles()
    {
        async Task<string[]> Complete(params string[] words) =>
            [.. (await Run("fish", "--no-config", "-c", "qcow2 completion fish | source; complete -C \"$argv\"", string.Join(' ', words))).Select(line => line.Split('\t')[0])];
        await Check(Complete);
    }

    [Theory]
    [InlineData("[suggest:21]", "qcow2 info --output=js disk", "--output=json")]
    [InlineData("[suggest]", "qcow2 completion b", "bash")]
    [InlineData("[suggest]", "qcow2 info --follow-r", "--follow-redirects")]
    [InlineData("[suggest]", "qcow2 info --follow-redirects pu", "public")]
    [InlineData("[suggest:-1]", "qcow2 completion b", "bash")]
    [InlineData("[suggest:x]", "qcow2 completion b", "bash")]
    [InlineData("[suggest:99999999999]", "qcow2 completion b", "bash")]
    [InlineData("[suggest]", "qcow2 changes --from active --o", "--output")]
    [InlineData("[suggest]", "qcow2 info --output js=", "")]
    [InlineData("[suggest]", "qcow2 info =", "")]
    [InlineData("[suggest]", "qcow2 info -=", "")]
    [InlineData("[suggest]", "qcow2 info --lenient=", "")]
    [InlineData("[suggest]", "qcow2 ls -l ", "")]
    [InlineData("[suggest]", "qcow2 ls -- --o", "")]
    [InlineData("[suggest]", "qcow2 ls --output json disk --outp", "")]
    [InlineData("[suggest]", "qcow2 ls disk \"/ho", "")]
    [InlineData("[suggest]", "qcow2 frobnicate ", "")]
    [InlineData("[suggest]", "qcow2", "completion")]
    [InlineData("[suggest]", "", "completion")]
    public async Task Suggestions_AreAllThatFits(string directive, string line, string expected)
    {
        QemuResult result = await Qcow2Tool.Run(directive, line);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        if (expected.Length == 0)
        {
            Assert.Equal("", result.Output);
        }
        else
        {
            Assert.Contains(expected, result.Output.Split('\n'));
        }
    }

    [Fact]
    public async Task UnknownShell_IsAWrongUsage() => Assert.Equal(2, (await Qcow2Tool.Run("completion", "tcsh")).ExitCode);

    private async Task Check(Func<string[], Task<string[]>> complete)
    {
        Assert.Equal(CommandList.Commands.Keys.Where(name => name.StartsWith('d')).Order(), (await complete(["qcow2", "d"])).Order());
        Assert.Equal(["--bitmap"], await complete(["qcow2", "dump-map", "--bi"]));
        Assert.Equal(["json"], await complete(["qcow2", "info", "--output", "js"]));
        Assert.Equal(["--output=json"], await complete(["qcow2", "info", "--output=js"]));
        Assert.Equal(["--output=json", "--output=text"], (await complete(["qcow2", "info", "--output="])).Order());
        Assert.Equal(["bash"], await complete(["qcow2", "completion", "b"]));

        // Where the name of a file belongs the shell's own completion takes over.
        _directory.Write("disk.qcow2", []);
        Assert.Equal(["disk.qcow2"], await complete(["qcow2", "info", "di"]));
        Assert.Equal(["disk.qcow2"], await complete(["qcow2", "info", "--data-file", "di"]));
        Assert.Equal(["--data-file=disk.qcow2"], await complete(["qcow2", "info", "--data-file=di"]));
        Assert.Equal(["disk.qcow2"], await complete(["qcow2", "info", "--backing-chain", "di"]));
        Assert.Equal(["disk.qcow2"], await complete(["qcow2", "ls", "-l", "di"]));
        Assert.Equal(["disk.qcow2", "qcow2"], (await complete(["qcow2", "ls", "-l", ""])).Order());
    }

    private async Task<string[]> Run(string shell, params string[] arguments)
    {
        BufferedCommandResult result = await CliWrap.Cli.Wrap(shell)
            .WithArguments(arguments)
            .WithWorkingDirectory(_directory.Path)
            .WithEnvironmentVariables(e => e.Set("PATH", _directory.Path + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH")))
            .ExecuteBufferedAsync();
        Assert.Equal("", result.StandardError);
        return result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
