using CliWrap.Buffered;
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
    public async Task Bash_CompletesCommandsOptionsAndValues()
    {
        Task<string[]> Complete(string[] words) => Run("bash", ["--norc", "-c", """
            source <(qcow2 completion bash)
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
            _qcow2 qcow2
            printf '%s\n' "${COMPREPLY[@]}"
            """, "bash", .. words]);
        await Check(Complete);
        Assert.Equal(["complete -o default -F _qcow2 qcow2"], await Run("bash", "--norc", "-c", "source <(qcow2 completion bash); complete -p qcow2"));
    }

    [ShellFact("zsh")]
    public async Task Zsh_CompletesCommandsOptionsAndValues()
    {
        // What belongs to its editor is stood in for: it says what would be offered, and filters by prefix.
        Task<string[]> Complete(string[] words) => Run("zsh", ["-f", "-c", """
            compdef() { : }
            compadd() { print -rl -- ${(M)found:#${words[CURRENT]}*} }
            _files() { : }
            source <(qcow2 completion zsh)
            words=("$@"); CURRENT=$#
            _qcow2
            """, "zsh", .. words]);
        await Check(Complete);
    }

    [ShellFact("fish")]
    public async Task Fish_CompletesCommandsOptionsAndValues()
    {
        async Task<string[]> Complete(params string[] words) =>
            await Run("fish", "--no-config", "-c", "qcow2 completion fish | source; complete -C \"$argv\"", string.Join(' ', words));
        Assert.Equal(["df", "dump-header", "dump-map"], (await Complete("qcow2", "d")).Where(name => name.StartsWith('d')).Order());
        Assert.Contains("--bitmap", await Complete("qcow2", "dump-map", "--bi"));
        Assert.Contains("json", await Complete("qcow2", "info", "--output", "js"));
        _directory.Write("disk.qcow2", []);
        Assert.Contains("disk.qcow2", await Complete("qcow2", "info", "disk"));
    }

    [Fact]
    public async Task UnknownShell_IsAWrongUsage() => Assert.Equal(2, (await Qcow2Tool.Run("completion", "tcsh")).ExitCode);

    private static async Task Check(Func<string[], Task<string[]>> complete)
    {
        Assert.Equal(["df", "dump-header", "dump-map"], (await complete(["qcow2", "d"])).Order());
        Assert.Equal(["--bitmap"], await complete(["qcow2", "dump-map", "--bi"]));
        Assert.Equal(["json"], await complete(["qcow2", "info", "--output", "js"]));

        // Nothing is offered where the name of a file belongs: the shell's own completion takes over.
        Assert.Empty(await complete(["qcow2", "info", "disk"]));
        Assert.Empty(await complete(["qcow2", "info", "--data-file", "fi"]));
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
