using Qcow2Stream;
using Qcow2Stream.Nbd;

namespace ReadmeExamples;

/// <summary>Serves a disk on a socket and on a port.</summary>
internal static class Serve
{
    public static async Task Run(CancellationToken stopping)
    {
        await using NbdServer server = new(Qcow2Chain.Open("disk.qcow2"), new NbdServerOptions
        {
            OnError = error => Console.Error.WriteLine($"{error.Client}: {error.Exception.Message}"),
        });
        server.Unlock();
        Console.WriteLine(server.Listen(NbdEndpoint.UnixSocket("disk.sock")));
        Console.WriteLine(server.Listen(NbdEndpoint.Tcp(port: 0)));
        await server.RunAsync(stopping);
    }
}
