using System.Diagnostics;
using CliWrap;
using CliWrap.Buffered;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

/// <summary>The command line tool, run as a process of its own.</summary>
internal static class Qcow2Tool
{
    public static readonly string Assembly = Path.Combine(AppContext.BaseDirectory, "qcow2.dll");

    public static Command Command(params string[] arguments) =>
        CliWrap.Cli.Wrap("dotnet").WithArguments([Assembly, .. arguments]).WithValidation(CommandResultValidation.None);

    /// <summary>Starts it, for tests that must send it something while it runs.</summary>
    public static Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo("dotnet", [Assembly, .. arguments])
    {
        RedirectStandardError = true,
        RedirectStandardOutput = true,
    })!;

    public static async Task<QemuResult> Run(params string[] arguments)
    {
        BufferedCommandResult result = await Command(arguments).ExecuteBufferedAsync();
        return new QemuResult(result.ExitCode, result.StandardOutput, result.StandardError);
    }

    public static async Task<byte[]> RunForBytes(params string[] arguments)
    {
        MemoryStream output = new();
        CommandResult result = await Command(arguments).WithStandardOutputPipe(PipeTarget.ToStream(output)).ExecuteAsync();
        Assert.Equal(0, result.ExitCode);
        return output.ToArray();
    }
}
