using CliWrap;
using CliWrap.Buffered;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Cli;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Guests;

/// <summary>
/// The native binary does what the program does under the runtime: nothing that DiscUtils or the command line finds by
/// reflection has been trimmed away.
/// </summary>
public sealed class NativeTests
{
    [NativeFact]
    public async Task EveryGuest_IsListedAsUnderTheRuntime()
    {
        foreach (string name in GuestImages.Names())
        {
            foreach (string[] command in (string[][])[["df"], ["ls", "-l", "-R", "--partition", "0"], ["ls", "-l", "-R", "--partition", "1"]])
            {
                string[] arguments = [.. command, GuestImages.Disk(name)];
                Assert.Equal(await Qcow2Tool.Run(arguments), await Run(arguments));
            }
        }
    }

    [NativeFact]
    public async Task EveryCommand_WorksAsUnderTheRuntime()
    {
        string chain = Repository.Image("chain-3.qcow2");
        string[][] commands =
        [
            ["dump-map", chain], ["dump-map", "--output", "json", chain], ["info", "--backing-chain", chain], ["check", chain],
            ["dump-header", chain], ["inspect", chain], ["read", "--length", "4K", "--offset", "20K", chain],
            ["info", "--output", "json", chain], ["--help"], ["ls", "--help"], ["cat", GuestImages.Disk("btrfs-subvolumes"), "/home/zstd/compressed.txt"],
            ["cat", GuestImages.Disk("ntfs"), "/etc/os-release"], ["cat", GuestImages.Disk("fat32"), "/etc/os-release"],
        ];
        foreach (string[] arguments in commands)
        {
            QemuResult expected = await Qcow2Tool.Run(arguments);
            Assert.Equal(expected, await Run(arguments));
            Assert.Equal(0, expected.ExitCode);
        }
    }

    /// <summary>As in a chroot, where nobody has mounted it. (The runtime itself doesn't start without.)</summary>
    [NativeRootFact]
    public async Task WithoutProc_AGuestIsRead()
    {
        string[] arguments = ["ls", "-l", GuestImages.Disk("ext4")];
        BufferedCommandResult result = await CliWrap.Cli.Wrap("unshare").WithValidation(CommandResultValidation.None)
            .WithArguments(["-m", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh", Native.Binary, .. arguments])
            .ExecuteBufferedAsync();
        Assert.Equal(await Qcow2Tool.Run(arguments), new QemuResult(result.ExitCode, result.StandardOutput, result.StandardError));
        Assert.Equal(0, result.ExitCode);
    }

    /// <summary>DiscUtils' registry of disk formats is filled by reflection.</summary>
    [NativeFact]
    public async Task BackingFilesOfOtherFormats_AreRead()
    {
        using TempDirectory scratch = new();
        foreach (string format in (string[])["vmdk", "vpc", "vhdx"])
        {
            await Qemu.ImgIn(scratch.Path, "create", "-q", "-f", format, $"base.{format}", "8M");
            await Qemu.IoIn(scratch.Path, $"base.{format}", format, "write -P 7 1M 64k");
            await Qemu.ImgIn(scratch.Path, "create", "-q", "-f", "qcow2", "-F", format, "-b", $"base.{format}", $"{format}.qcow2");
            QemuResult map = await Run("read", "--offset", "1M", "--length", "512", scratch.File($"{format}.qcow2"));
            Assert.Equal((0, new string('\a', 512)), (map.ExitCode, map.Output));
        }
    }

    private static async Task<QemuResult> Run(params string[] arguments)
    {
        BufferedCommandResult result = await CliWrap.Cli.Wrap(Native.Binary).WithArguments(arguments)
            .WithValidation(CommandResultValidation.None).ExecuteBufferedAsync();
        return new QemuResult(result.ExitCode, result.StandardOutput, result.StandardError);
    }
}
