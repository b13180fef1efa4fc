using System.Diagnostics;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Http;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Remote;

namespace Qcow2Stream.Tests.Cli;

/// <summary>Disks in other formats, as QEMU reads them, and what becomes of OUT.</summary>
public sealed class ConvertTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>Sizes that fit no block of any format, and one that a geometry of cylinders, heads and sectors cuts.</summary>
    [QemuTheory]
    [InlineData("raw", "raw", 1_000_003_072, 512)]
    [InlineData("raw", "raw", 4L << 30, 512)]
    [InlineData("vhdx", "vhdx", 1_000_003_072, 512)]
    [InlineData("vhdx", "vhdx", (2 << 20) + 1024, 512)]
    [InlineData("vhdx", "vhdx", 40L << 30, 512)]
    [InlineData("vmdk", "vmdk", 1_000_003_072, 64 << 10)]
    [InlineData("vmdk", "vmdk", (2 << 20) + 1024, 64 << 10)]
    [InlineData("vmdk", "vmdk", 40L << 30, 64 << 10)]
    [InlineData("vhd", "vpc", 1_000_003_072, 2 << 20)]
    [InlineData("vhd", "vpc", (2 << 20) + 1024, 2 << 20)]
    [InlineData("vhd", "vpc", 4L << 30, 2 << 20)]
    [InlineData("vhd", "vpc", 200L << 30, 2 << 20)]
    public async Task Disk_IsTheSameInEveryFormat(string format, string nameInQemu, long size, long unit)
    {
        string image = await QemuImage.WithDataAtItsEnds(_scratch, size);
        string output = _scratch.File("out." + format);
        Assert.Equal(new QemuResult(0, "", ""), await Qcow2Tool.Run("convert", image, output));
        QemuResult compared = await Qemu.ImgRaw("compare", "-f", "qcow2", "-F", nameInQemu, image, output);
        Assert.Equal((0, "Images are identical.\n"), (compared.ExitCode, compared.Output[compared.Output.IndexOf("Images", StringComparison.Ordinal)..]));
        Assert.Contains(
            $"({(size + unit - 1) / unit * unit} bytes)", await Qemu.Img("info", "-f", nameInQemu, output), StringComparison.Ordinal);
        Assert.InRange(await SpaceOf(output), 1, 4 << 20);
        Assert.Equal([image, output], Directory.GetFiles(_scratch.Path).Order());
    }

    [QemuTheory]
    [InlineData("vhdx", "vhdx")]
    [InlineData("vmdk", "vmdk")]
    [InlineData("vhd", "vpc")]
    [InlineData("raw", "raw")]
    public async Task ChainAndSnapshot_AreConverted(string format, string nameInQemu)
    {
        string output = _scratch.File("out");
        Assert.Equal(new QemuResult(0, "", ""), await Qcow2Tool.Run("convert", Repository.Image("chain-3.qcow2"), output, "--format", format));
        Assert.EndsWith("identical.\n", await Qemu.Img("compare", "-f", "qcow2", "-F", nameInQemu, Repository.Image("chain-3.qcow2"), output), StringComparison.Ordinal);

        string snapshot = _scratch.File("snapshot." + format);
        Assert.Equal(0, (await Qcow2Tool.Run("convert", Repository.Image("snapshots.qcow2"), snapshot, "--snapshot", "first")).ExitCode);
        string raw = _scratch.File("snapshot");
        await Qemu.Img("convert", "-f", nameInQemu, "-O", "raw", snapshot, raw);
        byte[] expected = await Qcow2Tool.RunForBytes("read", "--snapshot", "first", Repository.Image("snapshots.qcow2"));
        Assert.Equal(expected, File.ReadAllBytes(raw).AsSpan(0, expected.Length));
    }

    [Fact]
    public async Task Existing_StaysUnlessItMayBeReplaced()
    {
        string output = _scratch.Write("out.raw", "precious"u8.ToArray());
        QemuResult refused = await Qcow2Tool.Run("convert", Repository.Image("zlib.qcow2"), output);
        Assert.Equal((1, $"qcow2: '{output}' already exists (to replace it: --overwrite)\n"), (refused.ExitCode, refused.Error));
        Assert.Equal("precious", File.ReadAllText(output));
        Assert.Equal(0, (await Qcow2Tool.Run("convert", "--overwrite", Repository.Image("zlib.qcow2"), output)).ExitCode);
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("zlib.qcow2"));
        Assert.Equal(chain.ReadWholeDisk(), File.ReadAllBytes(output));
        Assert.Single(Directory.GetFiles(_scratch.Path));
    }

    /// <summary>Images are never written to, nor replaced by what is made of them.</summary>
    [Theory]
    [InlineData("chain-3.qcow2")]
    [InlineData("chain-1.qcow2")]
    [InlineData("chain-0.raw")]
    public async Task FileOfTheChainItself_IsNotReplaced(string file)
    {
        foreach (string path in Directory.GetFiles(Path.GetDirectoryName(Repository.Image(file))!, "chain-*"))
        {
            File.Copy(path, _scratch.File(Path.GetFileName(path)));
        }

        byte[] before = File.ReadAllBytes(_scratch.File(file));
        QemuResult result = await Qcow2Tool.Run(
            "convert", "--overwrite", "--format", "raw", _scratch.File("chain-3.qcow2"), _scratch.File(file));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("a file of the image itself", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(_scratch.File(file)));
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("vhdx")]
    [InlineData("vmdk")]
    [InlineData("vhd")]
    public async Task DamagedImage_LeavesNothingBehind(string format)
    {
        byte[] image = await File.ReadAllBytesAsync(Repository.Image("zlib.qcow2"));
        using (Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image)))
        {
            MapExtent last = chain.Map().Last(e => e.Kind == MapKind.Compressed);
            image.AsSpan((int)last.HostOffset!.Value, (int)last.HostLength).Fill(0xFF);
        }

        string damaged = _scratch.Write("damaged.qcow2", image);
        string output = _scratch.Write("out." + format, "precious"u8.ToArray());
        QemuResult result = await Qcow2Tool.Run("convert", "--overwrite", damaged, output);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("damaged.qcow2", result.Error, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(output));
        Assert.Equal([damaged, output], Directory.GetFiles(_scratch.Path).Order());
    }

    [Theory]
    [InlineData("out.qcow2", "can be raw, vhdx, vmdk, vhd")]
    [InlineData("", "is a directory")]
    [InlineData("none/out.raw", "none/out.raw'")]
    public async Task OutThatCanNotBe_IsRefused(string name, string message)
    {
        QemuResult result = await Qcow2Tool.Run("convert", Repository.Image("zlib.qcow2"), Path.Combine(_scratch.Path, name));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Path));
    }

    [UnixFact]
    public async Task Device_IsNotReplaced()
    {
        QemuResult expected = new(1, "", "qcow2: '/dev/null' is not a regular file\n");
        Assert.Equal(expected, await Qcow2Tool.Run("convert", Repository.Image("zlib.qcow2"), "/dev/null"));
        Assert.Equal(expected, await Qcow2Tool.Run("convert", "--overwrite", Repository.Image("zlib.qcow2"), "/dev/null"));
    }

    [Theory]
    [InlineData("vhd", 3L << 40, "holds 2040 GiB")]
    [InlineData("vhdx", 65L << 40, "holds 65536 GiB")]
    [InlineData("vmdk", 3L << 40, "holds 2048 GiB")]
    [InlineData("vmdk", 33L << 40, "holds 2048 GiB")]
    [InlineData("vhd", 0L, "--format raw")]
    [InlineData("vhdx", 0L, "--format raw")]
    [InlineData("vmdk", 0L, "--format raw")]
    public async Task DiskThatAFormatCanNotHold_IsRefused(string format, long size, string message)
    {
        string image = _scratch.Write("disk.qcow2", new Qcow2Builder { ClusterBits = 21, Size = size }.Build().ToBytes());
        QemuResult result = await Qcow2Tool.Run("convert", image, _scratch.File("out." + format));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(_scratch.Path));
    }

    /// <summary>Its sectors could not be numbered: two disks of QEMU's size limit for the format, all stored and nearly nothing.</summary>
    [QemuFact]
    public async Task VmdkThatWouldBeTooLarge_IsRefused()
    {
        string image = _scratch.File("disk.qcow2");
        string output = _scratch.File("out.vmdk");
        await Qemu.Img("create", "-q", "-f", "qcow2", "-o", "preallocation=metadata,cluster_size=2M", image, "2T");
        QemuResult result = await Qcow2Tool.Run("convert", image, output);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("does not go into a vmdk", result.Error, StringComparison.Ordinal);
        Assert.Equal([image], Directory.GetFiles(_scratch.Path));

        File.Delete(image);
        image = await QemuImage.WithDataAtItsEnds(_scratch, 2L << 40);
        Assert.Equal(0, (await Qcow2Tool.Run("convert", image, output)).ExitCode);
        Assert.EndsWith("identical.\n", await Qemu.Img("compare", "-f", "qcow2", "-F", "vmdk", image, output), StringComparison.Ordinal);
    }

    /// <summary>Who could not read what was there can't read what takes its place.</summary>
    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task Replaced_KeepsItsPermissions()
    {
        string output = _scratch.Write("out.raw", [1]);
        File.SetUnixFileMode(output, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal(0, (await Qcow2Tool.Run("convert", "--overwrite", Repository.Image("zlib.qcow2"), output)).ExitCode);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(output));
        Assert.NotEqual(1, new FileInfo(output).Length);
    }

    [UnixFact]
    public async Task LinkToNothing_IsNamedAsOne()
    {
        string link = _scratch.File("link");
        File.CreateSymbolicLink(link, _scratch.File("nothing"));
        QemuResult result = await Qcow2Tool.Run("convert", "--overwrite", Repository.Image("zlib.qcow2"), link);
        Assert.Equal((1, $"qcow2: '{link}' is a link to nothing; remove it first\n"), (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task LongestName_IsWritten()
    {
        string output = _scratch.File(new string('n', 251) + ".raw");
        Assert.Equal(0, (await Qcow2Tool.Run("convert", Repository.Image("zlib.qcow2"), output)).ExitCode);
        Assert.Equal([output], Directory.GetFiles(_scratch.Path));
    }

    /// <summary>From a server that has stopped answering: a signal ends it, and nothing is left behind.</summary>
    [UnixFact]
    public async Task Interrupted_LeavesNothingBehind()
    {
        foreach (int signal in new[] { Signals.Interrupt, Signals.Terminate })
        {
            using TempDirectory served = new();
            new Qcow2Builder { Size = 8 << 20, Clusters = [GuestClusters.Data(0, GuestDisk.Noise(8 << 20, 3), count: 128)] }.Build().WriteTo(served.File("disk.qcow2"));
            using WebServer server = new(served.Path)
            {
                Before = async context =>
                {
                    if (context.Request.GetTypedHeaders().Range?.Ranges.First().From >= 4 << 20)
                    {
                        await Task.Delay(Timeout.Infinite, context.RequestAborted);
                    }

                    return false;
                },
            };
            using Process tool = Qcow2Tool.Start("convert", server.AddressOf("disk.qcow2").ToString(), _scratch.File("out.raw"));
            while (Directory.GetFiles(_scratch.Path) is not [var partial] || new FileInfo(partial).Length == 0)
            {
                Assert.False(tool.HasExited, "it ended by itself");
                await Task.Delay(20);
            }

            tool.Send(signal);
            using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
            await tool.WaitForExitAsync(patience.Token);
            Assert.Equal((130, "qcow2: interrupted\n"), (tool.ExitCode, await tool.StandardError.ReadToEndAsync(patience.Token)));
            Assert.Empty(Directory.GetFiles(_scratch.Path));
        }
    }

    /// <summary>In bytes of the host's file system.</summary>
    private static async Task<long> SpaceOf(string path)
    {
        string json = await Qemu.Img("info", "-f", "raw", "--output=json", path);
        return System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty("actual-size").GetInt64();
    }
}
