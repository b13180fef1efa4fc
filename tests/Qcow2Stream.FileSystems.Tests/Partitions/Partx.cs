using CliWrap;
using CliWrap.Buffered;

namespace Qcow2Stream.FileSystems.Tests.Partitions;

/// <summary>partx of util-linux, which reads partition tables as Linux does.</summary>
internal static class Partx
{
    /// <summary>Why tests against it cannot run here, or null if they can. Null on CI as well: there a missing tool fails.</summary>
    public static string? WhyNot { get; } = IsOnPath || Environment.GetEnvironmentVariable("CI") == "true" ? null : "partx is not on PATH";

    private static bool IsOnPath => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(directory => File.Exists(Path.Combine(directory, "partx")));

    /// <summary>The fields of each partition of a disk: number, start and length in sectors, type.</summary>
    public static async Task<string[][]> Read(string disk)
    {
        BufferedCommandResult shown = await Cli.Wrap("partx")
            .WithArguments(["--raw", "--noheadings", "--output", "NR,START,SECTORS,TYPE", disk])
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync();
        Assert.True(shown.ExitCode == 0 || shown.StandardError.Contains("failed to read partition table", StringComparison.Ordinal), shown.StandardError);
        return [.. shown.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))];
    }
}
