using System.Runtime.InteropServices;
using CliWrap;

namespace Qcow2Stream.Benchmarks.Processes;

/// <summary>The command line tool, compiled ahead of time.</summary>
internal static class NativeBinary
{
    /// <summary>Publishes it into a directory and returns its path.</summary>
    public static string Publish(string directory)
    {
        Console.Error.WriteLine("publishing the native binary");
        string project = Path.Combine(Repository.Root, "src", "Qcow2Stream.Cli");
        CliWrap.Cli.Wrap("dotnet")
            .WithArguments(["publish", project, "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "-o", directory, "-v", "quiet", "--nologo"])
            .WithStandardOutputPipe(PipeTarget.ToStream(Console.OpenStandardError()))
            .ExecuteAsync().GetAwaiter().GetResult();
        return Path.Combine(directory, "qcow2");
    }
}
