namespace Qcow2Stream.Nbd.Tests;

/// <summary>The package's README's code, word for word, so that it compiles and runs.</summary>
internal static class ReadmeExamples
{
    public static async Task Serve(CancellationToken stopping)
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
