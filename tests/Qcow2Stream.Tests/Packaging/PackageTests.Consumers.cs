using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Qcow2Stream.FileSystems;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>Programs that have the libraries from packages alone.</summary>
public sealed partial class PackageTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string ChainProgram = """
        using DiscUtils;
        using DiscUtils.Ntfs;
        using Qcow2Stream;

        Qcow2Disk.Register();
        foreach (string image in args)
        {
            using Qcow2ChainStream stream = new(image);
            using VirtualDisk disk = image.EndsWith(".qcow2") ? VirtualDisk.OpenDisk(image, FileAccess.Read) : new Qcow2Disk(image);
            Console.WriteLine($"{stream.Length} {disk.Capacity} {stream.Chain.Map().Count()} {new VolumeManager(stream).GetPhysicalVolumes().Length}");
            foreach (PhysicalVolumeInfo volume in VolumeManager.GetPhysicalVolumes(disk))
            {
                Console.WriteLine($"{volume.VolumeType} {volume.Length}");
                if (NtfsFileSystem.Detect(volume.Open()))
                {
                    using NtfsFileSystem files = new(volume.Open());
                    foreach (string path in files.GetFiles("", "*", SearchOption.AllDirectories))
                    {
                        Console.WriteLine($"{files.GetFileLength(path)} {path}");
                    }
                }
            }
        }
        """;

    private const string NtfsReader = "LTRData.DiscUtils.Ntfs";

    private const string GuestProgram = """
        using Qcow2Stream;
        using Qcow2Stream.FileSystems;
        using Qcow2Stream.Nbd;

        if (args is ["serve", string image])
        {
            using CancellationTokenSource stop = new();
            await using NbdServer server = new(Qcow2Chain.Open(image));
            Console.WriteLine(server.Listen(NbdEndpoint.Tcp(port: 0)));
            Task served = server.RunAsync(stop.Token);
            Console.ReadLine();
            stop.Cancel();
            await served;
            return;
        }

        using Guest guest = Guest.Open(Qcow2Chain.Open(args[0]));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        foreach ((string path, GuestEntry entry) in files.Root.EnumerateTree(fault => Console.WriteLine($"{fault.Path}: {fault.Message}")))
        {
            Console.WriteLine($"{entry.Kind} {entry.UnixMode?.Permissions} {entry.ModifiedUtc.Ticks} {entry.Length} {path}");
        }
        """;

    [PackageFact]
    public async Task Consumer_BuildsWithoutWarningsAndRuns()
    {
        string project = await WriteConsumer("consumer", "<TreatWarningsAsErrors>true</TreatWarningsAsErrors>", ["Qcow2Stream", NtfsReader], ChainProgram);
        await Packages.Run("dotnet", project, "build", "--nologo", "-o", "out");
        await AssertFindsVolumesAndFiles(project, "dotnet", Path.Combine("out", "consumer.dll"));
    }

    /// <summary>Where the packages of DiscUtils can't be had: the projects themselves bring along what a program needs to compile.</summary>
    [PackageFact]
    public async Task ProjectThatRefersToTheSources_BuildsWithoutWarningsAndRuns()
    {
        await packages.Get();
        string project = packages.Scratch("referring");
        await File.WriteAllTextAsync(Path.Combine(project, "consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <ProjectReference Include="{packages.Tree("release")}/src/Qcow2Stream.FileSystems/Qcow2Stream.FileSystems.csproj" />
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), ChainProgram);
        await Packages.Run("dotnet", project, "build", "--nologo", "-c", "Release");
        await AssertFindsVolumesAndFiles(project, "dotnet", Path.Combine(project, "bin", "Release", "net10.0", "consumer.dll"));
    }

    /// <summary>DiscUtils looks by reflection for what finds partitions; what trimming leaves must have it.</summary>
    [PackageFact]
    public async Task Consumer_PublishedTrimmed_GetsNoWarningOfThisLibraryAndFindsTheSameFiles()
    {
        string project = await WriteConsumer(
            "trimmed-consumer", "<PublishTrimmed>true</PublishTrimmed><TrimmerSingleWarn>false</TrimmerSingleWarn>", ["Qcow2Stream", NtfsReader], ChainProgram);
        AssertWarnsOfDiscUtilsAlone(await Packages.Run("dotnet", project, "publish", "--nologo", "--use-current-runtime", "-o", "out"));
        await AssertFindsVolumesAndFiles(project, Path.Combine(project, "out", OperatingSystem.IsWindows() ? "consumer.exe" : "consumer"));
    }

    [NativePackageFact]
    public async Task Consumer_PublishedAsNativeCode_GetsNoWarningOfThisLibraryAndFindsTheSameFiles()
    {
        string project = await WriteConsumer(
            "native-consumer", "<PublishAot>true</PublishAot><TrimmerSingleWarn>false</TrimmerSingleWarn>", ["Qcow2Stream", NtfsReader], ChainProgram);
        AssertWarnsOfDiscUtilsAlone(await Packages.Run("dotnet", project, "publish", "--nologo", "--use-current-runtime", "-o", "out"));
        await AssertFindsVolumesAndFiles(project, Path.Combine(project, "out", OperatingSystem.IsWindows() ? "consumer.exe" : "consumer"));
    }

    /// <summary>
    /// The readers of file systems look by reflection for what a native program must then have kept, with the packages alone and
    /// nothing set. The same program does the same as it was compiled, before it was made native.
    /// </summary>
    [NativePackageFact]
    public async Task ConsumerOfAllLibraries_ListsEveryKindOfGuestAndServesADisk_AlsoAsNativeCode()
    {
        string project = await WriteConsumer(
            "native-guests",
            "<PublishAot>true</PublishAot><TrimmerSingleWarn>false</TrimmerSingleWarn>",
            ["Qcow2Stream", "Qcow2Stream.FileSystems", "Qcow2Stream.Nbd"],
            GuestProgram);
        string output = await Packages.Run("dotnet", project, "publish", "--nologo", "--use-current-runtime", "-o", "out");
        Assert.DoesNotMatch("warning IL[0-9]+: [^\n]*Qcow2Stream", output);
        string managed = Assert.Single(Directory.GetFiles(Path.Combine(project, "bin"), "consumer.dll", SearchOption.AllDirectories));
        string[][] programs = [[Path.Combine(project, "out", OperatingSystem.IsWindows() ? "consumer.exe" : "consumer")], ["dotnet", managed]];
        foreach (string[] program in programs)
        {
            foreach (string disk in (string[])["ext4", "xfs", "btrfs-subvolumes", "iso", "udf-bridge", "hfsplus", "ntfs", "fat32"])
            {
                Assert.Equal(ListedHere(GuestImages.Disk(disk)), await Packages.Run(program[0], project, [.. program[1..], GuestImages.Disk(disk)]));
            }

            await AssertServes([.. program, "serve", GuestImages.Disk("ext4")], GuestImages.Disk("ext4"));
        }
    }

    /// <summary>
    /// The analysers of a build see the consumer's source alone; trimming and the native compiler look at all of the library too.
    /// What they warn of is in DiscUtils.Core, whose registries find classes by reflection: IL2026, IL2062 and IL2067 in
    /// VirtualDiskManager, VirtualDisk.OpenDisk, FileSystemManager, PartitionTable and VolumeManager (one IL2104 unless asked for each).
    /// </summary>
    private static void AssertWarnsOfDiscUtilsAlone(string output)
    {
        string[] warnings = [.. output.Split('\n').Where(line => line.Contains("warning IL", StringComparison.Ordinal))];
        Assert.NotEmpty(warnings);
        Assert.All(warnings, warning => Assert.Matches("^IL(C|Link) ?: (Trim|AOT) analysis warning IL20(26|62|67): DiscUtils\\.", warning));
    }

    /// <summary>Runs <see cref="ChainProgram"/> on a chain, and on disks with each kind of partition table.</summary>
    private async Task AssertFindsVolumesAndFiles(string project, params string[] program)
    {
        string apple = Path.Combine(packages.Scratch("apple"), "apple.raw");
        await File.WriteAllBytesAsync(apple, AppleDisk());
        string[] images = [Repository.Image("chain-3.qcow2"), GuestImages.Disk("mbr"), GuestImages.Disk("gpt"), apple];
        string[] found =
        [
            "EntireDisk 98304\n",
            "BiosPartition 8388608\nBiosPartition 16777216\nBiosPartition 4194304\n7 Grüße.txt\n150001 lines in a file.txt\n45 os-release\nBiosPartition 1048576\n",
            "GptPartition 35651584\nGptPartition 8388608\nGptPartition 314572800\nGptPartition 1048576\n",
            "ApplePartition 16384\n",
        ];
        string expected = string.Concat(images.Zip(found, (image, volumes) =>
        {
            using Qcow2Chain chain = Qcow2Chain.Open(image);
            return $"{chain.Length} {chain.Length} {chain.Map().Count()} {volumes.Split('\n').Count(line => line.Contains("Partition", StringComparison.Ordinal) || line.StartsWith("EntireDisk", StringComparison.Ordinal))}\n{volumes}";
        }));
        Assert.Equal(expected, (await Packages.Run(program[0], project, [.. program[1..], .. images])).ReplaceLineEndings("\n"));
    }

    /// <summary>A disk whose map of partitions is Apple's: of itself, and of one with data.</summary>
    private static byte[] AppleDisk()
    {
        const int Block = 512;
        byte[] disk = new byte[128 * Block];
        "ER"u8.CopyTo(disk);
        BinaryPrimitives.WriteUInt16BigEndian(disk.AsSpan(2), Block);
        BinaryPrimitives.WriteUInt32BigEndian(disk.AsSpan(4), 128);
        WriteEntry(disk.AsSpan(Block), 1, 2, "Apple_partition_map"u8);
        WriteEntry(disk.AsSpan(2 * Block), 64, 32, "Apple_HFS"u8);
        return disk;

        static void WriteEntry(Span<byte> entry, uint start, uint length, ReadOnlySpan<byte> type)
        {
            "PM"u8.CopyTo(entry);
            BinaryPrimitives.WriteUInt32BigEndian(entry[4..], 2);
            BinaryPrimitives.WriteUInt32BigEndian(entry[8..], start);
            BinaryPrimitives.WriteUInt32BigEndian(entry[12..], length);
            type.CopyTo(entry[48..]);
        }
    }

    /// <summary>What <see cref="GuestProgram"/> says under the runtime.</summary>
    private static string ListedHere(string disk)
    {
        StringBuilder lines = new();
        using Guest guest = Guest.Open(Qcow2Chain.Open(disk));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        foreach ((string path, GuestEntry entry) in files.Root.EnumerateTree(fault => lines.AppendLine(CultureInfo.InvariantCulture, $"{fault.Path}: {fault.Message}")))
        {
            lines.AppendLine(CultureInfo.InvariantCulture, $"{entry.Kind} {entry.UnixMode?.Permissions} {entry.ModifiedUtc.Ticks} {entry.Length} {path}");
        }

        return lines.ToString();
    }

    /// <summary>Starts a program that serves a disk until its standard input ends, and reads the whole disk from it.</summary>
    private static async Task AssertServes(string[] command, string disk)
    {
        using Process program = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Uri address = new(await program.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? throw new InvalidOperationException("the program ended before it served"));
        using Qcow2Chain chain = Qcow2Chain.Open(disk);
        byte[] served = new byte[chain.Length];
        using (RawClient client = new(new IPEndPoint(IPAddress.Parse(address.Host), address.Port)))
        {
            client.Greet();
            client.Negotiate();
            foreach (Chunk chunk in client.Call(RawClient.Read, 0, (uint)served.Length).Where(c => c.Type == RawClient.OffsetData))
            {
                chunk.Data.CopyTo(served, (int)chunk.Offset);
            }
        }

        Assert.Equal(chain.ReadWholeDisk(), served);
        program.StandardInput.Close();
        await program.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(0, program.ExitCode);
    }

    /// <summary>A program that uses packages of libraries, DiscUtils' reader of NTFS among them, and takes the library whole, so that all of it is looked at.</summary>
    private async Task<string> WriteConsumer(string name, string properties, string[] libraries, string program)
    {
        string project = packages.Scratch(name);
        string sources = packages.Scratch(name + "-packages");
        foreach (string library in libraries.Where(id => id != NtfsReader).Select(id => $"{id}.{Packages.Version}.nupkg"))
        {
            File.Copy(Path.Combine(await packages.Get(), library), Path.Combine(sources, library));
        }

        DiscUtilsPackages.Write(sources);
        await WriteSources(project, sources, alsoConfigured: true);

        // The package under test is restored into the project, all others are taken from where they are.
        await File.WriteAllTextAsync(Path.Combine(project, "consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <EnableTrimAnalyzer>true</EnableTrimAnalyzer>
                <EnableAotAnalyzer>true</EnableAotAnalyzer>
                <RestorePackagesPath>packages</RestorePackagesPath>
                <RestoreFallbackFolders>{Packages.Folder}</RestoreFallbackFolders>
                {properties}
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(libraries.Select(id => $"""<PackageReference Include="{id}" Version="{(id == NtfsReader ? DiscUtilsPackages.Version : Packages.Version)}" />"""))}
                <TrimmerRootAssembly Include="Qcow2Stream" />
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), program);
        return project;
    }
}
