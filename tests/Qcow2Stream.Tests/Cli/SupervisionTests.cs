using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

/// <summary>A command that reads a guest runs in two processes. Whoever starts and ends it knows of one: the other must go where it goes.</summary>
[SupportedOSPlatform("linux")]
public sealed class SupervisionTests : IDisposable
{
    private const int Kill = 9;
    private const int Stop = 19;

    private readonly TcpListener _silent = new(IPAddress.Loopback, 0);

    public SupervisionTests() => _silent.Start();

    public void Dispose() => _silent.Dispose();

    [LinuxTheory]
    [InlineData(Signals.Interrupt)]
    [InlineData(Signals.Terminate)]
    [InlineData(Kill)]
    public async Task Signal_EndsBothProcesses(int signal)
    {
        using Process tool = Qcow2Tool.Start("ls", $"http://{_silent.LocalEndpoint}/disk.qcow2");

        // The connection is the one's that reads; whoever started the command knows the other.
        using TcpClient reader = await _silent.AcceptTcpClientAsync();
        tool.Send(signal);
        byte[] request = new byte[4096];
        int received;
        do
        {
            try
            {
                received = await reader.GetStream().ReadAsync(request);
            }
            catch (IOException)
            {
                // Reset: it ended with something unread.
                received = 0;
            }
        }
        while (received > 0);

        await tool.WaitForExitAsync();
        Assert.Equal(128 + signal, tool.ExitCode);
        Assert.Equal("", await tool.StandardError.ReadToEndAsync());
    }

    /// <summary>Who begins a process can have it ignore, or not receive, the signal that a child of it has ended.</summary>
    [LinuxTheory]
    [InlineData("--ignore-signal=CHLD", "/etc/os-release", 0)]
    [InlineData("--block-signal=CHLD", "/etc/os-release", 0)]
    [InlineData("--ignore-signal=CHLD", "/nothing", 1)]
    [InlineData("--block-signal=CHLD", "/nothing", 1)]
    public async Task EndOfTheChild_IsHeardOf(string inherited, string path, int exitCode)
    {
        using Process tool = Process.Start(new ProcessStartInfo("env", [inherited, "dotnet", Qcow2Tool.Assembly, "ls", GuestImages.Disk("ext4"), path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> messages = tool.StandardError.ReadToEndAsync();
        await tool.StandardOutput.ReadToEndAsync();
        await tool.WaitForExitAsync();
        Assert.Equal(exitCode, tool.ExitCode);
        Assert.Equal(exitCode == 0 ? "" : "qcow2: '/nothing' does not exist on the disk (ext4)\n", await messages);
    }

    /// <summary>A child that somebody has stopped doesn't see that its time is over; the parent does.</summary>
    [LinuxFact]
    public async Task ChildThatIsStopped_EndsInTime()
    {
        using Process tool = Qcow2Tool.Start("ls", $"http://{_silent.LocalEndpoint}/disk.qcow2", "--timeout", "3");
        using TcpClient reader = await _silent.AcceptTcpClientAsync();
        using Process child = await ChildOf(tool);
        child.Send(Stop);
        await tool.WaitForExitAsync();
        Assert.Equal((1, "qcow2: not finished after 3 s (--timeout)\n"), (tool.ExitCode, await tool.StandardError.ReadToEndAsync()));
    }

    /// <summary>Nor does it hear of a signal, which its parent hands on, until it is woken.</summary>
    [LinuxTheory]
    [InlineData(Signals.Interrupt)]
    [InlineData(Signals.Terminate)]
    public async Task ChildThatIsStopped_EndsByASignal(int signal)
    {
        using Process tool = Qcow2Tool.Start("ls", $"http://{_silent.LocalEndpoint}/disk.qcow2", "--timeout", "5m");
        using TcpClient reader = await _silent.AcceptTcpClientAsync();
        using Process child = await ChildOf(tool);
        child.Send(Stop);
        tool.Send(signal);
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(2));
        try
        {
            await tool.WaitForExitAsync(late.Token);
            await child.WaitForExitAsync(late.Token);
        }
        finally
        {
            tool.Kill(entireProcessTree: true);
        }

        Assert.Equal((128 + signal, ""), (tool.ExitCode, await tool.StandardError.ReadToEndAsync()));
    }

    /// <summary>A child whose parent has ended before it began reads nothing, and starts no other.</summary>
    [LinuxFact]
    public async Task ParentThatHasEnded_IsTheEnd()
    {
        using Process tool = StartWith("2147483647");
        await tool.WaitForExitAsync();
        Assert.Equal((1, "qcow2: the process that began this has ended\n"), (tool.ExitCode, await tool.StandardError.ReadToEndAsync()));
        Assert.False(_silent.Pending());
    }

    [LinuxFact]
    public async Task VariableThatIsNone_ChangesNothing()
    {
        using Process tool = StartWith("yes");
        using TcpClient reader = await _silent.AcceptTcpClientAsync();
        string children = await File.ReadAllTextAsync($"/proc/{tool.Id}/task/{tool.Id}/children");
        Assert.Single(children.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        tool.Send(Signals.Terminate);
        await tool.WaitForExitAsync();
    }

    private static async Task<Process> ChildOf(Process tool) => Process.GetProcessById(
        int.Parse(await File.ReadAllTextAsync($"/proc/{tool.Id}/task/{tool.Id}/children"), CultureInfo.InvariantCulture));

    private Process StartWith(string variable) =>
        Process.Start(new ProcessStartInfo("dotnet", [Qcow2Tool.Assembly, "ls", $"http://{_silent.LocalEndpoint}/disk.qcow2"])
        {
            RedirectStandardError = true,
            Environment = { ["QCOW2_SUPERVISED_BY"] = variable },
        })!;
}
