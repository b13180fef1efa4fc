using System.CommandLine.Help;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using CliWrap;
using CliWrap.Buffered;
using Qcow2Stream.Cli;
using Qcow2Stream.Tests.Follow;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

public sealed class CliTests : IDisposable
{
    private static readonly string Chain = Repository.Image("chain-3.qcow2");

    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>Another program that shares the pipe may have made it so; it is full long before all is written.</summary>
    [LinuxFact]
    public async Task OutputThatDoesNotBlock_IsWrittenToTheEnd()
    {
        const int Length = 4 << 20;
        string image = _scratch.Write("noise.raw", GuestDisk.Noise(Length, seed: 4));
        string output = _scratch.File("out");
        await CliWrap.Cli.Wrap("sh")
            .WithArguments(["-c", """
                perl -e 'use Fcntl; fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK); exec @ARGV' dotnet "$1" read "$2" | (sleep 0.2; cat > "$3")
                """, "sh", Qcow2Tool.Assembly, image, output])
            .ExecuteAsync();
        Assert.Equal(await File.ReadAllBytesAsync(image), await File.ReadAllBytesAsync(output));
    }

    [Fact]
    public async Task DumpMap_PrintsTheTextForm()
    {
        QemuResult result = await Qcow2Tool.Run("dump-map", Chain);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(Written(MapOutput.WriteText), result.Output);
        Assert.Contains("12288 8192\n", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("json")]
    [InlineData("text")]
    public async Task DumpMapOutput_ChoosesTheForm(string form)
    {
        QemuResult result = await Qcow2Tool.Run("dump-map", "--output", form, Chain);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(Written(form == "json" ? (MapEnumerator map, Stream output) => map.WithHostHoles().WriteJson(output) : MapOutput.WriteText), result.Output);
    }

    [Fact]
    public async Task DumpMapRange_TakesSuffixes()
    {
        QemuResult result = await Qcow2Tool.Run("dump-map", "--start", "8K", "--length", "4096", Chain);
        Assert.Equal("8192 4096 1 20480\n", result.Output);
    }

    [Fact]
    public async Task HumanForm_StopsAtCompressedClusters()
    {
        QemuResult result = await Qcow2Tool.Run("dump-map", "--output", "human", Chain);
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("Offset          Length          Mapped to       File\n0               0x2000", result.Output, StringComparison.Ordinal);
        Assert.StartsWith("qcow2: the human form of a map can't show the compressed data at guest offset 24576", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_WritesTheWholeDisk()
    {
        using Qcow2ChainStream disk = new(Chain);
        byte[] expected = new byte[disk.Length];
        disk.ReadExactly(expected);
        Assert.Equal(expected, await Qcow2Tool.RunForBytes("read", Chain));
    }

    [Fact]
    public async Task ReadRange_WritesJustThat()
    {
        using Qcow2ChainStream disk = new(Chain);
        byte[] expected = new byte[5000];
        Assert.Equal(expected.Length, disk.Chain.ReadAt(30_001, expected));
        Assert.Equal(expected, await Qcow2Tool.RunForBytes("read", "--offset", "30001", "--length", "5000", Chain));
    }

    [Theory]
    [InlineData("98300", "1M", 4)]
    [InlineData("1G", "1", 0)]
    [InlineData("0", "0", 0)]
    public async Task ReadAcrossOrBehindTheEnd_StopsThere(string offset, string length, int expected) =>
        Assert.Equal(expected, (await Qcow2Tool.RunForBytes("read", "--offset", offset, "--length", length, Chain)).Length);

    /// <summary>Two programs that share a file as standard output must each continue where the other stopped.</summary>
    [Fact]
    public async Task OutputToASharedFile_IsAppended()
    {
        string file = _scratch.File("out");
        string tool = Path.Combine(AppContext.BaseDirectory, "qcow2.dll");
        CommandResult result = await CliWrap.Cli.Wrap("sh")
            .WithArguments(["-c", $"(dotnet '{tool}' dump-map --length 8K '{Chain}'; echo between; dotnet '{tool}' dump-map --length 8K '{Chain}') > '{file}'"])
            .ExecuteAsync();
        Assert.Equal(0, result.ExitCode);
        Assert.Equal("0 8192 0 40960\nbetween\n0 8192 0 40960\n", await File.ReadAllTextAsync(file));
    }

    /// <summary>A reader that has seen enough ends the command, silently: nothing keeps reading a terabyte for nobody.</summary>
    [Fact]
    public async Task ClosedPipe_EndsTheCommandWithoutAnError()
    {
        string image = _scratch.File("huge.raw");
        await using (FileStream huge = File.Create(image))
        {
            huge.SetLength(1L << 40);
        }

        using Process process = Process.Start(new ProcessStartInfo("dotnet")
        {
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "qcow2.dll"), "read", image },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        byte[] some = new byte[100];
        await process.StandardOutput.BaseStream.ReadExactlyAsync(some);
        process.StandardOutput.Close();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((0, ""), (process.ExitCode, error));
    }

    [Theory]
    [InlineData("dump-map")]
    [InlineData("read")]
    [InlineData("info")]
    [InlineData("check")]
    public async Task MissingImage_IsOneLineAndExitCode1(string command)
    {
        string missing = _scratch.File("missing.qcow2");
        QemuResult result = await Qcow2Tool.Run(command, missing);
        Assert.Equal((1, "", $"qcow2: Could not find file '{missing}'.\n"), (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public async Task DamagedImage_IsOneLineAndExitCode1()
    {
        byte[] image = await File.ReadAllBytesAsync(Chain);
        image[HeaderField.Version + 3] = 9;
        string damaged = _scratch.Write("damaged.qcow2", image);
        QemuResult result = await Qcow2Tool.Run("dump-map", damaged);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal($"qcow2: qcow2 version 9 is not known; 2 and 3 are ({damaged}, at byte 4)\n", result.Error);
    }

    [Theory]
    [InlineData("dump-map")]
    [InlineData("dump-map", "a", "b")]
    [InlineData("dump-map", "--start", "12x", "a")]
    [InlineData("dump-map", "--start", "-1", "a")]
    [InlineData("dump-map", "--length", "99999999T", "a")]
    [InlineData("dump-map", "--output", "yaml", "a")]
    [InlineData("dump-map", "--follow", "", "a")]
    [InlineData("changes", "a")]
    [InlineData("changes", "a", "--from", "depth:x")]
    [InlineData("mount", "a")]
    public async Task WrongUsage_IsExitCode2(params string[] arguments)
    {
        QemuResult result = await Qcow2Tool.Run(arguments);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("qcow2: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FollowNone_OpensTheTopImageOnly()
    {
        QemuResult refused = await Qcow2Tool.Run("dump-map", "--follow", "none", Chain);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("no file that an image names is opened (to allow it: --follow here)", refused.Error, StringComparison.Ordinal);

        // info looks at the image alone, and so needs no permission.
        QemuResult info = await Qcow2Tool.Run("info", Chain);
        Assert.Equal(0, info.ExitCode);
        Assert.Contains("backing file: chain-2.qcow2", info.Output, StringComparison.Ordinal);
    }

    /// <summary>What only a program can do is no advice: its words are the tool's.</summary>
    [Theory]
    [InlineData("< CHAIN", "read /dev/stdin", "(to open what it names: open the image by its own path)")]
    [InlineData("", "read deep-64.qcow2", "the chain would be deeper than the 64 layers that this tool allows")]
    [InlineData("", "read vdi.qcow2", "the format 'vdi' is not handled by itself; to read it, convert it with qemu-img (")]
    [InlineData("", "read parallels.qcow2", "the format 'parallels' is not handled; raw, qcow2, qcow and vmdk are, and vpc and vhdx (")]
    public async Task RefusalWithoutAnOption_NamesNothingOfTheLibrary(string input, string arguments, string expected)
    {
        foreach (string format in (string[])["vdi", "parallels"])
        {
            _scratch.Write($"{format}.qcow2", ChainFiles.Overlay("chain.raw", format));
        }

        _scratch.Write("chain.raw", new byte[512]);
        for (int depth = 0; depth < 65; depth++)
        {
            _scratch.Write($"deep-{depth}.qcow2", depth == 0 ? ChainFiles.Overlay("chain.raw", "raw") : ChainFiles.Overlay($"deep-{depth - 1}.qcow2", "qcow2"));
        }

        BufferedCommandResult result = await CliWrap.Cli.Wrap("sh")
            .WithArguments(["-c", $"dotnet '{Qcow2Tool.Assembly}' {arguments} {input.Replace("CHAIN", $"'{Chain}'", StringComparison.Ordinal)}"])
            .WithWorkingDirectory(_scratch.Path)
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync();
        Assert.Equal((1, ""), (result.ExitCode, result.StandardOutput));
        Assert.Contains(expected, result.StandardError, StringComparison.Ordinal);
        Assert.DoesNotMatch("Follow|DiscUtils|Max[A-Z]", result.StandardError);
    }

    [Fact]
    public async Task FollowDirectory_AllowsJustThatDirectory()
    {
        string overlay = await OverlayElsewhere();
        QemuResult here = await Qcow2Tool.Run("dump-map", overlay);
        Assert.Equal(1, here.ExitCode);
        Assert.Contains("lies outside", here.Error, StringComparison.Ordinal);

        QemuResult directory = await Qcow2Tool.Run("dump-map", "--follow", Path.GetDirectoryName(Chain)!, overlay);
        Assert.Equal((0, "0 65536\n"), (directory.ExitCode, directory.Output));
        QemuResult anywhere = await Qcow2Tool.Run("dump-map", "--follow", "anywhere", overlay);
        Assert.Equal((0, "0 65536\n"), (anywhere.ExitCode, anywhere.Output));
    }

    [Fact]
    public async Task Changes_PrintsTheRangesThatDiffer()
    {
        QemuResult result = await Qcow2Tool.Run(
            "changes", Repository.Image("snapshots.qcow2"), "--from", "snapshot:first", "--to", "snapshot:second");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal([(4096L, 8192L), (49_152L, 4096L)], Ranges(result.Output));
        QemuResult depth = await Qcow2Tool.Run("changes", Chain, "--from", "depth:1");
        Assert.Equal([(0L, 8192L), (81_920L, 8192L)], Ranges(depth.Output));
    }

    [Fact]
    public async Task DumpMapOfABitmap_PrintsWhatItMarks()
    {
        string image = Repository.Image("bitmaps.qcow2");
        QemuResult text = await Qcow2Tool.Run("dump-map", "--bitmap", "coarse", image);
        Assert.Equal("0 65536\n524288 131072\n983040 65536\n", text.Output);
        QemuResult json = await Qcow2Tool.Run("dump-map", "--bitmap", "coarse", "--output", "json", "--start", "600000", image);
        Assert.Equal("[{ \"start\": 600000, \"length\": 55360},\n{ \"start\": 983040, \"length\": 65536}]\n", json.Output);
        QemuResult refused = await Qcow2Tool.Run("dump-map", "--bitmap", "unsaved", image);
        Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("it is in use", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadOfASnapshot_HasItsOwnSize() =>
        Assert.Equal(40_960, (await Qcow2Tool.RunForBytes("read", "--snapshot", "first", Repository.Image("snapshots.qcow2"))).Length);

    [Fact]
    public async Task DataFile_TakesThePlaceOfTheRecordedName()
    {
        string image = _scratch.Write("alone.qcow2", await File.ReadAllBytesAsync(Repository.Image("data-file.qcow2")));
        QemuResult without = await Qcow2Tool.Run("read", "--length", "1", image);
        Assert.Equal((1, ""), (without.ExitCode, without.Output));
        byte[] bytes = await Qcow2Tool.RunForBytes("read", "--data-file", Repository.Image("data-file.raw"), "--length", "8K", image);
        Assert.All(bytes, b => Assert.Equal(0xB1, b));
    }

    [Fact]
    public async Task SecretFile_OpensAnEncryptedImage()
    {
        string image = Repository.Image("aes.qcow2");
        string secret = _scratch.Write("secret", "open sesame"u8.ToArray());
        byte[] bytes = await Qcow2Tool.RunForBytes("read", "--secret-file", secret, "--length", "5K", image);
        Assert.All(bytes, b => Assert.Equal(0xE1, b));
        QemuResult without = await Qcow2Tool.Run("read", image);
        Assert.Equal(1, without.ExitCode);
        Assert.Contains("--secret-file", without.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lenient_SaysWhatItPapersOver()
    {
        byte[] image = await File.ReadAllBytesAsync(Repository.Image("odd-size.qcow2"));
        string path = _scratch.Write("cut.qcow2", image.AsSpan(0, image.Length - 8192));
        QemuResult strict = await Qcow2Tool.Run("dump-map", path);
        Assert.Equal(1, strict.ExitCode);
        QemuResult lenient = await Qcow2Tool.Run("dump-map", "--lenient", path);
        Assert.Equal(0, lenient.ExitCode);
        Assert.StartsWith("qcow2: damaged: ", lenient.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_TellsAndSucceeds()
    {
        QemuResult result = await Qcow2Tool.Run("inspect", _scratch.Write("broken.qcow2", "QFI\u00fb"u8.ToArray()));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("can't be read", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chain-3.qcow2")]
    [InlineData("bitmaps.qcow2")]
    [InlineData("v2.qcow2")]
    [InlineData("data-file.qcow2")]
    public async Task DumpHeader_PrintsFieldsAndExtensions(string image)
    {
        QemuResult result = await Qcow2Tool.Run("dump-header", Repository.Image(image));
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        await Verifier.Verify(result.Output).UseParameters(image);
    }

    [Theory]
    [InlineData("--help", "dump-map <IMAGE>")]
    [InlineData("dump-map --help", "Example: qcow2 dump-map")]
    [InlineData("read --help", "Example: qcow2 read")]
    [InlineData("info --help", "Example: qcow2 info")]
    [InlineData("check --help", "Example: qcow2 check")]
    [InlineData("check -h", "Example: qcow2 check")]
    [InlineData("check disk.qcow2 --output json -h", "Example: qcow2 check")]
    public async Task Help_ExplainsWithAnExample(string arguments, string expected)
    {
        QemuResult result = await Qcow2Tool.Run(arguments.Split(' '));
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains(expected, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryNameOfHelp_IsKnownWithoutMakingIt()
    {
        HelpOption help = CommandList.CreateRoot([]).Options.OfType<HelpOption>().Single();
        Assert.All([help.Name, .. help.Aliases], name => Assert.True(HelpText.IsAskedForBy(name), name));
    }

    private static IEnumerable<(long Start, long Length)> Ranges(string text) => text
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(' '))
        .Select(fields => (long.Parse(fields[0], CultureInfo.InvariantCulture), long.Parse(fields[1], CultureInfo.InvariantCulture)));

    private static string Written(Action<MapEnumerator, Stream> write)
    {
        using Qcow2ChainStream disk = new(Chain);
        MemoryStream output = new();
        write(disk.Chain.Map(), output);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    /// <summary>An empty disk of 64 KiB over an absolute name in the directory of the committed images.</summary>
    private async Task<string> OverlayElsewhere()
    {
        Qcow2Builder builder = new()
        {
            ClusterBits = 12,
            Size = 65_536,
            BackingFile = Repository.Image("empty.qcow2"),
            BackingFormat = "qcow2",
        };
        string path = _scratch.File("overlay.qcow2");
        await File.WriteAllBytesAsync(path, builder.Build().ToBytes());
        return path;
    }
}
