using System.Diagnostics;
using System.Text;

namespace Qcow2Stream.Tests.Concurrency;

/// <summary>
/// A qemu-io that holds an image open for writing, as a running guest's QEMU does, with QEMU's own locks on it. Commands go
/// in by its standard input, one at a time.
/// </summary>
internal sealed class RunningGuest : IDisposable
{
    private const string Prompt = "qemu-io> ";

    private readonly Process _process;

    private RunningGuest(Process process) => _process = process;

    public static async Task<RunningGuest> StartAsync(string image)
    {
        ProcessStartInfo start = new("qemu-io", ["-f", "qcow2", image])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        RunningGuest guest = new(Process.Start(start)!);
        await guest.AnswerAsync();
        return guest;
    }

    /// <summary>Has a command done, and returns what qemu-io says to it.</summary>
    public async Task<string> DoAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        return await AnswerAsync();
    }

    /// <summary>Writes a range full of one byte; fails if qemu-io could not.</summary>
    public async Task WriteAsync(int pattern, long offset, long length) =>
        Assert.Contains($"wrote {length}/{length} bytes at offset {offset}", await DoAsync($"write -P {pattern} {offset} {length}"), StringComparison.Ordinal);

    /// <summary>Closes the image, as a guest that is shut down.</summary>
    public async Task<int> QuitAsync()
    {
        await _process.StandardInput.WriteLineAsync("quit");
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private async Task<string> AnswerAsync()
    {
        StringBuilder text = new();
        char[] one = new char[1];
        while (!text.ToString().EndsWith(Prompt, StringComparison.Ordinal))
        {
            if (await _process.StandardOutput.ReadAsync(one) == 0)
            {
                throw new InvalidOperationException($"qemu-io ended: {text}{await _process.StandardError.ReadToEndAsync()}");
            }

            text.Append(one[0]);
        }

        return text.ToString();
    }
}
