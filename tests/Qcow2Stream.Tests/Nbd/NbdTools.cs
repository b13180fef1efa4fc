using CliWrap;
using CliWrap.Buffered;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>The clients of libnbd, and qemu-nbd, the server to compare with. Nothing waits forever.</summary>
internal static class NbdTools
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>Why tests with them cannot run here, or null if they can. Null on CI as well: there a missing tool fails.</summary>
    public static string? WhyNot { get; } = Qemu.WhyNot ?? (
        new[] { "nbdinfo", "nbdcopy", "qemu-nbd" }.All(OnPath) || Environment.GetEnvironmentVariable("CI") == "true"
            ? null
            : "nbdinfo, nbdcopy or qemu-nbd is not on PATH");

    public static async Task<string> Run(string tool, params string[] arguments)
    {
        QemuResult result = await RunRaw(tool, arguments);
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)} ended with exit code {result.ExitCode}: {result.Error}");
    }

    /// <summary>Leaves the judgement of the exit code to the caller.</summary>
    public static async Task<QemuResult> RunRaw(string tool, params string[] arguments)
    {
        using CancellationTokenSource patience = new(Patience);
        BufferedCommandResult result = await CliWrap.Cli.Wrap(tool)
            .WithArguments(arguments)
            .WithWorkingDirectory(Path.GetDirectoryName(Repository.Image("."))!)
            .WithEnvironmentVariables(variables => variables.Set("LC_ALL", "C"))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(patience.Token);
        return new QemuResult(result.ExitCode, result.StandardOutput, result.StandardError);
    }

    /// <summary>Copies what is served into a file and returns its bytes.</summary>
    public static async Task<byte[]> Copy(string uri, TempDirectory directory)
    {
        string target = directory.File($"{Guid.NewGuid():N}.raw");
        await Run("nbdcopy", uri, target);
        return await File.ReadAllBytesAsync(target);
    }

    private static bool OnPath(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(directory => File.Exists(Path.Combine(directory, tool)));
}
