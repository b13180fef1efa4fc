using System.Security.Cryptography;
using CliWrap;

namespace Qcow2Stream.Benchmarks.Processes;

/// <summary>What a program writes to its standard output.</summary>
internal static class ProgramOutput
{
    public static byte[] Read(ProgramCall call)
    {
        using MemoryStream output = new();
        Run(call, output);
        return output.ToArray();
    }

    /// <summary>The SHA-256 of the output.</summary>
    public static byte[] Hash(ProgramCall call)
    {
        using SHA256 hash = SHA256.Create();
        using (CryptoStream output = new(Stream.Null, hash, CryptoStreamMode.Write))
        {
            Run(call, output);
        }

        return hash.Hash!;
    }

    private static void Run(ProgramCall call, Stream output) =>
        CliWrap.Cli.Wrap(call.File)
            .WithArguments(call.Arguments)
            .WithStandardOutputPipe(PipeTarget.ToStream(output))
            .ExecuteAsync().GetAwaiter().GetResult();
}
