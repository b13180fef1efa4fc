using System.Net.Sockets;
using System.Text.RegularExpressions;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>The package's README's code is what compiles here, and does what the README says.</summary>
[Collection(nameof(ReadmeTests))]
[CollectionDefinition(nameof(ReadmeTests), DisableParallelization = true)]
public sealed partial class ReadmeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void CodeBlock_IsTheExampleWithItsUsings()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "src", "Qcow2Stream.Nbd", "README.md"));
        string example = File.ReadAllText(Path.Combine(Repository.Root, "tests", "Qcow2Stream.Nbd.Tests", "ReadmeExamples", "Serve.cs"));
        Match block = Assert.Single(CodeBlock().Matches(readme));
        Assert.StartsWith(block.Groups["usings"].Value + "namespace ", example, StringComparison.Ordinal);
        Assert.Contains(Indented(block.Groups["code"].Value), example, StringComparison.Ordinal);
    }

    [UnixFact]
    public async Task Serve_AnswersAtBothEndpointsUntilItIsStopped()
    {
        using TempDirectory directory = new();
        directory.Write("disk.qcow2", ServedImage.Bytes);
        string before = Environment.CurrentDirectory;
        TextWriter console = Console.Out;
        using StringWriter written = new();
        using CancellationTokenSource stop = new();
        try
        {
            Environment.CurrentDirectory = directory.Path;
            Console.SetOut(written);
            Task serving = ReadmeExamples.Serve.Run(stop.Token);
            string[] addresses = written.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            Assert.Equal($"nbd+unix:///?socket={Environment.CurrentDirectory}/disk.sock", addresses[0]);
            using RawClient onSocket = new(new UnixDomainSocketEndPoint(directory.File("disk.sock")));
            using RawClient onPort = new(LocalServer.AddressOf(addresses[1]));
            foreach (RawClient client in (RawClient[])[onSocket, onPort])
            {
                client.Greet();
                client.Negotiate();
                Assert.Equal(GuestDisk.Filled(512, 1), client.Call(RawClient.Read, 0, 512)[0].Data);
            }

            await stop.CancelAsync();
            await serving.WaitAsync(Patience);
            Assert.True(onSocket.IsClosed && onPort.IsClosed);
            Assert.Equal(["disk.qcow2"], Directory.GetFiles(directory.Path).Select(Path.GetFileName));
        }
        finally
        {
            Console.SetOut(console);
            Environment.CurrentDirectory = before;
        }
    }

    [GeneratedRegex("```csharp\n(?<usings>(using [A-Za-z0-9.]+;\n)*\n?)(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    private static string Indented(string code) => string.Concat(
        code.TrimEnd('\n').Split('\n').Select(line => line.Length == 0 ? "\n" : $"        {line}\n"));
}
