using System.Diagnostics;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>qcow2 serve as a process of its own, which has said where it can be reached.</summary>
internal sealed class ServeProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Task<string> _errors;

    private ServeProcess(Process process, string uri)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
        Uri = uri;
    }

    public string Uri { get; }

    public static Task<ServeProcess> Start(params string[] arguments) =>
        StartProgram("dotnet", [Path.Combine(AppContext.BaseDirectory, "qcow2.dll"), "serve", .. arguments]);

    public static Task<ServeProcess> StartNative(params string[] arguments) => StartProgram(Native.Binary, ["serve", .. arguments]);

    public void Signal(int signal) => _process.Send(signal);

    /// <summary>Waits for the end.</summary>
    public async Task<(int ExitCode, string Errors)> End()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return (_process.ExitCode, await _errors.WaitAsync(Patience));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static async Task<ServeProcess> StartProgram(string program, string[] arguments)
    {
        Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string? uri = await process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        return uri is null
            ? throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} says: {await process.StandardError.ReadToEndAsync()}")
            : new ServeProcess(process, uri);
    }
}
