using CliWrap.Buffered;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Remote;

namespace Qcow2Stream.Tests.Cli;

/// <summary>What long work shows on a terminal, recorded by script(1) through a pseudo-terminal, and nowhere else.</summary>
public sealed class ProgressTests : IDisposable
{
    private const char Escape = '\u001b';

    private readonly TempDirectory _scratch = new();
    private readonly string _image;

    public ProgressTests()
    {
        _image = _scratch.File("disk.qcow2");
        new Qcow2Builder { Size = 64 << 20, Clusters = [GuestClusters.Data(0, GuestDisk.Noise(64 << 20, 1), count: 1024)] }.Build().WriteTo(_image);
    }

    public void Dispose() => _scratch.Dispose();

    /// <summary>From a server that takes its time, so that there is a rate to show.</summary>
    [LinuxFact]
    public async Task Convert_ShowsABarWithRateAndRemainingTime()
    {
        using WebServer server = new(_scratch.Path)
        {
            Before = async _ =>
            {
                await Task.Delay(150);
                return false;
            },
        };
        string shown = await OnTerminal("", $"convert {server.AddressOf("disk.qcow2")} '{_scratch.File("out.raw")}'");
        Assert.Contains("━", shown, StringComparison.Ordinal);
        Assert.Matches("[0-9]%", shown);
        Assert.Matches("(MiB|GiB)(.*)/s", shown);
        Assert.Matches("[0-9-]{2}:[0-9-]{2}:[0-9-]{2}", shown);
        Assert.Contains($"{Escape}[38;", shown, StringComparison.Ordinal);

        // The bar goes away, and the cursor comes back.
        Assert.EndsWith($"{Escape}[?25h", shown.TrimEnd('\r', '\n'), StringComparison.Ordinal);
    }

    [LinuxFact]
    public async Task Compare_ShowsABarAndThenTheResult()
    {
        string shown = await OnTerminal("", $"compare '{_image}' '{_image}'");
        Assert.Contains("━", shown, StringComparison.Ordinal);
        Assert.EndsWith("the disks are the same", shown.TrimEnd('\r', '\n'), StringComparison.Ordinal);
    }

    [LinuxFact]
    public async Task NoColor_LeavesTheColoursOut()
    {
        string shown = await OnTerminal("NO_COLOR=1 ", $"convert '{_image}' '{_scratch.File("out.raw")}'");
        Assert.Contains("━", shown, StringComparison.Ordinal);
        Assert.DoesNotContain($"{Escape}[38;", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pipe_IsQuiet()
    {
        Assert.Equal(new QemuResult(0, "", ""), await Qcow2Tool.Run("convert", _image, _scratch.File("out.raw")));
        Assert.Equal(new QemuResult(0, "the disks are the same\n", ""), await Qcow2Tool.Run("compare", _image, _scratch.File("out.raw")));
    }

    private static async Task<string> OnTerminal(string variables, string arguments)
    {
        BufferedCommandResult result = await CliWrap.Cli.Wrap("script")
            .WithArguments(["-qec", $"{variables}dotnet '{Qcow2Tool.Assembly}' {arguments}", "/dev/null"])
            .WithEnvironmentVariables(variables => variables.Set("TERM", "xterm-256color").Set("COLUMNS", "120"))
            .ExecuteBufferedAsync();
        return result.StandardOutput;
    }
}
