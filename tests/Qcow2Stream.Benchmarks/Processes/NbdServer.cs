using System.Diagnostics;
using System.Net.Sockets;

namespace Qcow2Stream.Benchmarks.Processes;

/// <summary>A program that serves NBD on a Unix socket of its own, from when clients can connect until it is disposed.</summary>
internal sealed class NbdServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("qcow2stream-nbd-");
    private readonly Process _process;

    /// <summary>Starts it.</summary>
    /// <param name="call">The program, for the path of the socket that it is to make.</param>
    public NbdServer(Func<string, ProgramCall> call)
    {
        string socket = Path.Combine(_directory.FullName, "socket");
        Call = call(socket);
        Uri = $"nbd+unix:///?socket={socket}";
        _process = Process.Start(new ProcessStartInfo(Call.File, Call.Arguments) { RedirectStandardOutput = true })!;
        for (long start = Stopwatch.GetTimestamp(); !CanConnect(socket);)
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new InvalidOperationException($"{Call} does not serve");
            }

            Thread.Sleep(10);
        }
    }

    /// <summary>Why there can be no server or client here, or null.</summary>
    public static string? WhyNot { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator) is var directories
        && new[] { "nbdcopy", "qemu-nbd" }.FirstOrDefault(tool => !directories.Any(d => File.Exists(Path.Combine(d, tool)))) is { } missing
            ? $"{missing} is not installed"
            : null;

    public ProgramCall Call { get; }

    /// <summary>The address for clients.</summary>
    public string Uri { get; }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private static bool CanConnect(string path)
    {
        using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            client.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
