using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.Versioning;
using CliWrap;
using CliWrap.Buffered;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Cli;

/// <summary>
/// Disks and names that keep a reader reading, computing or allocating, or that are to write on a terminal: a command ends with one line for each
/// thing that is wrong, in half a gibibyte and a minute of a processor, by what the system says of the process.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class BoundsTests : IDisposable
{
    private const long MostMemory = 512 << 20;
    private const int MostSeconds = 60;
    private const int Sector = 512;

    private static readonly Dictionary<string, (Func<byte[]> Disk, string[] Command, int ExitCode, string Error)> Rows = new()
    {
        // One byte of a healthy image: DiscUtils' reader then makes 280 MB a second, for ever.
        ["NTFS whose reader fills memory"] = (
            () => Changed("ntfs", image => image[41_101] = 0x40), ["cat", "DISK", "/sizes/one"], 1, "qcow2: out of memory: "),
        ["NTFS whose index leads to itself"] = (
            () => Raw("ntfs", LeadIndexToItself), ["df", "DISK"], 1, "qcow2: the process that reads the guest was ended (signal 6): "),
        ["Btrfs whose tree of chunks leads to itself"] = (
            () => Raw("btrfs", LeadChunksToThemselves), ["ls", "-R", "DISK"], 1, "qcow2: the Btrfs file system on the disk can't be read: its tree is damaged at address 1048576"),
        ["an extended partition whose records lead to themselves"] = (
            () => Boot(disk =>
            {
                Entry(disk, 0, 0, 0x05, 8, 100);
                Entry(disk, 8, 0, 0x83, 1, 3);
                Entry(disk, 8, 1, 0x05, 16, 8);
                Entry(disk, 24, 1, 0x05, 16, 8);
            }),
            ["df", "DISK"], 1, "the partition table can't be read whole: the extended partition's boot records lead back to the one at sector 24"),
        ["a boot record that promises a GPT"] = (
            () => Boot(disk => Entry(disk, 0, 0, 0xEE, 1, 100)), ["ls", "DISK"], 1, "neither its header nor the backup in the last sector is valid"),
        ["a FAT whose root directory leads to itself"] = (() => Raw("fat32", LeadRootToItself), ["ls", "DISK"], 1, "qcow2: /: its chain of clusters leads back to cluster 2"),
        ["a FAT whose root directory leads to itself, searched"] = (
            () => Raw("fat32", LeadRootToItself), ["cat", "DISK", "/nothing"], 1, "its chain of clusters leads back to cluster 2"),
    };

    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Names => [.. Rows.Keys];

    public void Dispose() => _scratch.Dispose();

    [LinuxTheory]
    [MemberData(nameof(Names))]
    public void Command_EndsInItsBounds(string name)
    {
        (Func<byte[]> make, string[] command, int exitCode, string error) = Rows[name];
        string disk = _scratch.Write("disk", make());
        MeasuredChild child = Run([.. command.Select(word => word.Replace("DISK", disk, StringComparison.Ordinal))]);
        Assert.Equal(exitCode, child.ExitCode);
        Assert.Contains(error, child.Error, StringComparison.Ordinal);
    }

    /// <summary>A directory that a stranger packed: the names are given by a pattern of the shell's.</summary>
    [LinuxTheory]
    [InlineData("info")]
    [InlineData("dump-map")]
    [InlineData("check")]
    [InlineData("inspect")]
    [InlineData("dump-header")]
    [InlineData("df")]
    [InlineData("ls")]
    [InlineData("read")]
    public void NameOfAFile_WritesNothingToTheTerminal(string command)
    {
        const string Evil = "\u001b]0;OWNED\u0007\u001b[31m\nqcow2: forged line\u009b2J";
        string[] paths =
        [
            _scratch.Write("short" + Evil, [0x51, 0x46, 0x49, 0xFB]),
            Directory.CreateDirectory(_scratch.File("directory" + Evil)).FullName,
            _scratch.File("missing" + Evil),
            File.CreateSymbolicLink(_scratch.File("link" + Evil), "nowhere" + Evil).FullName,
        ];
        foreach (string path in paths)
        {
            MeasuredChild child = Run(command, path);
            Assert.DoesNotContain("\nqcow2: forged", child.Error, StringComparison.Ordinal);
            Assert.DoesNotContain((byte)0x1B, child.Output);
        }
    }

    /// <summary>A server that answers nothing more: the command ends when its time is over, and leaves nothing behind.</summary>
    [LinuxTheory]
    [InlineData("info", "ADDRESS")]
    [InlineData("ls", "ADDRESS")]
    [InlineData("read", "ADDRESS")]
    [InlineData("cp", "ADDRESS", "/", "OUT")]
    [InlineData("convert", "ADDRESS", "OUT")]
    [InlineData("compare", "ADDRESS", "ADDRESS")]
    public void Timeout_EndsACommand(params string[] command)
    {
        using System.Net.Sockets.TcpListener silent = new(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        string address = $"http://{silent.LocalEndpoint}/disk.qcow2";
        MeasuredChild child = Run(
        [
            .. command.Select(word => word.Replace("ADDRESS", address, StringComparison.Ordinal).Replace("OUT", _scratch.File("out"), StringComparison.Ordinal)),
            "--timeout", "0.5",
        ]);
        Assert.Equal((command[0] == "compare" ? 2 : 1, "qcow2: not finished after 0.5 s (--timeout)\n"), (child.ExitCode, child.Error));
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Path));
    }

    /// <summary>Where there is nobody to tell, the exit code is what it would be.</summary>
    [LinuxTheory]
    [InlineData("2>&-", 1, "info", "nothing")]
    [InlineData("2>/dev/full", 1, "ls", "nothing")]
    [InlineData("2>/dev/full >/dev/full <&-", 1, "check", "nothing")]
    [InlineData("2>&-", 2, "info")]
    [InlineData("2>/dev/full", 2, "compare", "nothing", "nothing")]
    public void StandardErrorThatIsClosed_ChangesNoExitCode(string redirection, int exitCode, params string[] arguments)
    {
        MeasuredChild child = MeasuredChild.Run(MostSeconds, ["sh", "-c", $"\"$@\" {redirection}", "sh", "dotnet", Qcow2Tool.Assembly, .. arguments]);
        Assert.Equal((exitCode, ""), (child.ExitCode, child.Error));
    }

    /// <summary>Commands that read a guest move standard error: to no place that another stream had before it was closed.</summary>
    [LinuxTheory]
    [InlineData(">&- 2>&-", 0, "", "cp", "DISK", "/etc/os-release", "OUT")]
    [InlineData("<&- 2>&-", 0, "", "cp", "DISK", "/etc/os-release", "OUT")]
    [InlineData("<&- >&- 2>&-", 0, "", "cp", "DISK", "/etc/os-release", "OUT")]
    [InlineData("<&- >&-", 1, "qcow2: cannot write to standard output: it is closed\n", "cat", "DISK", "/etc/os-release")]
    [InlineData(">&-", 1, "qcow2: cannot write to standard output: it is closed\n", "ls", "DISK")]
    [InlineData("<&- >&-", 1, "qcow2: '/nothing' does not exist on the disk (ext4)\n", "cat", "DISK", "/nothing")]
    public void StreamsThatAreClosed_GetNothingOfAnother(string redirection, int exitCode, string error, params string[] command)
    {
        string target = _scratch.File("out");
        MeasuredChild child = MeasuredChild.Run(
            MostSeconds,
            [
                "sh", "-c", $"\"$@\" {redirection}", "sh", "dotnet", Qcow2Tool.Assembly,
                .. command.Select(word => word.Replace("DISK", GuestImages.Disk("ext4"), StringComparison.Ordinal).Replace("OUT", target, StringComparison.Ordinal)),
            ]);
        Assert.Equal((exitCode, error), (child.ExitCode, child.Error));
        Assert.Equal(command[0] == "cp", File.Exists(target));
    }

    /// <summary>The user's limit on files is no fault of a guest's.</summary>
    [LinuxTheory]
    [InlineData("cannot write to standard output: File too large", "cat", "DISK", "/sizes/large.txt")]
    [InlineData("File too large", "convert", "DISK", "OUT")]
    [InlineData("/sizes/large.txt: ", "cp", "DISK", "/sizes/large.txt", "OUT")]
    public void LimitOnFiles_IsAnErrorOfWriting(string error, params string[] command)
    {
        // The runtime itself makes a large file in memory unless it is told not to.
        const string Script = "ulimit -f 8; DOTNET_EnableWriteXorExecute=0 exec \"$@\"";
        MeasuredChild child = MeasuredChild.Run(
            MostSeconds,
            [
                "sh", "-c", Script, "sh", "dotnet", Qcow2Tool.Assembly,
                .. command.Select(word => word.Replace("DISK", GuestImages.Disk("ext4"), StringComparison.Ordinal).Replace("OUT", _scratch.File("out"), StringComparison.Ordinal)),
            ]);
        Assert.Equal(1, child.ExitCode);
        Assert.Contains(error, child.Error, StringComparison.Ordinal);
        Assert.Single(child.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Path));
    }

    /// <summary>Where no file can be written at all, standard error is a pipe's.</summary>
    [LinuxTheory]
    [InlineData("qcow2: File too large: its file system, or a limit of the process, lets it grow no further\n", "convert", "DISK", "OUT")]
    [InlineData(
        "qcow2: /sizes/large.txt: a file of 150001 bytes is longer than its file system, or a limit of the process, allows\n", "cp", "DISK", "/sizes/large.txt", "OUT")]
    public async Task LimitOfNothing_IsAnErrorOfWriting(string error, params string[] command)
    {
        const string Script = "ulimit -f 0; DOTNET_EnableWriteXorExecute=0 exec \"$@\"";
        BufferedCommandResult result = await CliWrap.Cli.Wrap("sh").WithValidation(CommandResultValidation.None)
            .WithArguments(
            [
                "-c", Script, "sh", "dotnet", Qcow2Tool.Assembly,
                .. command.Select(word => word.Replace("DISK", GuestImages.Disk("ext4"), StringComparison.Ordinal).Replace("OUT", _scratch.File("out"), StringComparison.Ordinal)),
            ])
            .ExecuteBufferedAsync();
        Assert.Equal((1, "", error), (result.ExitCode, result.StandardOutput, result.StandardError));
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Path));
    }

    /// <summary>The time is over before the copy begins: then it doesn't.</summary>
    [LinuxFact]
    public void TimeoutOfNothing_LeavesNothing()
    {
        for (int i = 0; i < 5; i++)
        {
            MeasuredChild child = Run("cp", GuestImages.Disk("ext4"), "/sizes/large.txt", _scratch.File("out"), "--timeout", "0.000001");
            Assert.Equal((1, "qcow2: not finished after 1E-06 s (--timeout)\n"), (child.ExitCode, child.Error));
            Assert.Empty(Directory.GetFileSystemEntries(_scratch.Path));
        }
    }

    /// <summary>Both outputs are one pipe, which is full: nothing more can be said, and the command ends all the same.</summary>
    [LinuxFact]
    public void OutputThatNobodyTakes_DoesNotOutliveTheTimeout()
    {
        string disk = _scratch.Write("disk.raw", new byte[1 << 20]);
        const string Script = "mkfifo \"$0\"; sleep 50 < \"$0\" & \"$@\" > \"$0\" 2>&1; code=$?; kill $!; exit $code";
        MeasuredChild child = MeasuredChild.Run(MostSeconds, "sh", "-c", Script, _scratch.File("pipe"), "dotnet", Qcow2Tool.Assembly, "read", disk, "--timeout", "0.5");
        Assert.Equal(1, child.ExitCode);
    }

    [LinuxTheory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("x")]
    [InlineData("5 m")]
    [InlineData("99999h")]
    public void TimeoutThatIsNone_IsAMistake(string time)
    {
        MeasuredChild child = Run("info", "x", "--timeout=" + time);
        Assert.Equal(2, child.ExitCode);
        Assert.StartsWith($"qcow2: --timeout needs a time such as 30, 5m or 2h, at most 49 days, not '{time}'\n", child.Error, StringComparison.Ordinal);
    }

    private static MeasuredChild Run(params string[] arguments)
    {
        MeasuredChild child = MeasuredChild.Run(MostSeconds, ["dotnet", Qcow2Tool.Assembly, .. arguments]);
        Assert.True(child.ExitCode is 0 or 1 or 2, $"exit code {child.ExitCode}: {child.Error}");
        Assert.InRange(child.MaxMemory, 1, MostMemory);
        Assert.InRange(child.ProcessorTime.TotalSeconds, 0, MostSeconds);
        Assert.DoesNotContain(child.Error, letter => char.IsControl(letter) && letter != '\n');
        Assert.All(child.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("qcow2: ", line, StringComparison.Ordinal));
        return child;
    }

    private static byte[] Changed(string name, Action<byte[]> change)
    {
        byte[] image = File.ReadAllBytes(GuestImages.Disk(name));
        change(image);
        return image;
    }

    private static byte[] Raw(string name, Action<byte[]> change)
    {
        using Qcow2ChainStream disk = new(GuestImages.Disk(name));
        byte[] bytes = new byte[disk.Length];
        disk.ReadExactly(bytes);
        change(bytes);
        return bytes;
    }

    private static byte[] Boot(Action<byte[]> write)
    {
        byte[] disk = new byte[4000 * Sector];
        write(disk);
        return disk;
    }

    private static void Entry(byte[] disk, int sector, int index, byte type, uint start, uint length)
    {
        Span<byte> record = disk.AsSpan(sector * Sector, Sector);
        (record[510], record[511]) = (0x55, 0xAA);
        Span<byte> entry = record.Slice(0x1BE + (index * 16), 16);
        entry[4] = type;
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], start);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], length);
    }

    /// <summary>The only entry of an index block has the block itself below it.</summary>
    private static void LeadIndexToItself(byte[] volume)
    {
        const int Block = 4096;
        int place = Enumerable.Range(0, volume.Length / Block).First(number => volume.AsSpan(number * Block, 4).SequenceEqual("INDX"u8)) * Block;
        Span<byte> block = volume.AsSpan(place, Block);
        int sequence = BinaryPrimitives.ReadUInt16LittleEndian(block[4..]);
        for (int sector = 1; sector <= Block / Sector; sector++)
        {
            block.Slice(sequence + (2 * sector), 2).CopyTo(block[((sector * Sector) - 2)..]);
        }

        int entries = BinaryPrimitives.ReadInt32LittleEndian(block[24..]);
        Span<byte> entry = block.Slice(24 + entries, 24);
        entry.Clear();
        entry[8] = 24;
        entry[12] = 3;
        block[16..24].CopyTo(entry[16..]);
        BinaryPrimitives.WriteInt32LittleEndian(block[28..], entries + entry.Length);
        block[36] = 1;
        for (int sector = 1; sector <= Block / Sector; sector++)
        {
            block.Slice((sector * Sector) - 2, 2).CopyTo(block[(sequence + (2 * sector))..]);
            block.Slice(sequence, 2).CopyTo(block[((sector * Sector) - 2)..]);
        }
    }

    /// <summary>The root of the tree of chunks is said to have nodes below it, and the first is where it is itself.</summary>
    private static void LeadChunksToThemselves(byte[] volume)
    {
        Span<byte> node = volume.AsSpan(1 << 20, 4096);
        node[100] = 1;
        uint checksum = uint.MaxValue;
        foreach (byte value in node[32..])
        {
            checksum = BitOperations.Crc32C(checksum, value);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(node, ~checksum);
    }

    /// <summary>Every record of the directory's only cluster is in use, and that cluster follows itself.</summary>
    private static void LeadRootToItself(byte[] volume)
    {
        int fat = BinaryPrimitives.ReadUInt16LittleEndian(volume.AsSpan(14)) * Sector;
        BinaryPrimitives.WriteUInt32LittleEndian(volume.AsSpan(fat + 8), 2);
        int root = fat + (2 * (int)BinaryPrimitives.ReadUInt32LittleEndian(volume.AsSpan(36)) * Sector);
        volume.AsSpan(root, Sector).Fill(0xE5);
    }
}
