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
        using Qcow2Stream;

        Qcow2Disk.Register();
        using Qcow2ChainStream stream = new(args[0]);
        using VirtualDisk disk = VirtualDisk.OpenDisk(args[0], FileAccess.Read);
        Console.WriteLine($"{stream.Length} {disk.Capacity} {stream.Chain.Map().Count()}");
        """;

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

    private static string PackageFolder => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    [PackageFact]
    public async Task Consumer_BuildsWithoutWarningsAndRuns()
    {
        string project = await WriteConsumer("consumer", "<TreatWarningsAsErrors>true</TreatWarningsAsErrors>", ["Qcow2Stream"], ChainProgram);
        await Packages.Run("dotnet", project, "build", "--nologo", "-o", "out");
        Assert.Equal(ConsumersOutput(), (await Packages.Run("dotnet", project, Path.Combine("out", "consumer.dll"), Repository.Image("chain-3.qcow2"))).Trim());
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
        string program = Path.Combine(project, "bin", "Release", "net10.0", "consumer.dll");
        Assert.Equal(ConsumersOutput(), (await Packages.Run("dotnet", project, program, Repository.Image("chain-3.qcow2"))).Trim());
    }

    /// <summary>
    /// The analysers of a build see the consumer's source alone; the native compiler looks at all of the library too. What
    /// it warns of is in DiscUtils.Core, whose registries find classes by reflection: IL2026, IL2062 and IL2067 in
    /// VirtualDiskManager, VirtualDisk.OpenDisk, FileSystemManager and VolumeManager (one IL2104 unless asked for each).
    /// </summary>
    [NativePackageFact]
    public async Task Consumer_PublishedAsNativeCode_GetsNoWarningOfThisLibraryAndRuns()
    {
        string project = await WriteConsumer(
            "native-consumer", "<PublishAot>true</PublishAot><TrimmerSingleWarn>false</TrimmerSingleWarn>", ["Qcow2Stream"], ChainProgram);
        string output = await Packages.Run("dotnet", project, "publish", "--nologo", "--use-current-runtime", "-o", "out");
        string[] warnings = [.. output.Split('\n').Where(line => line.Contains("warning IL", StringComparison.Ordinal))];
        Assert.NotEmpty(warnings);
        Assert.All(warnings, warning => Assert.Matches("^ILC : (Trim|AOT) analysis warning IL20(26|62|67): DiscUtils\\.", warning));
        string program = Path.Combine(project, "out", OperatingSystem.IsWindows() ? "consumer.exe" : "consumer");
        Assert.Equal(ConsumersOutput(), (await Packages.Run(program, project, Repository.Image("chain-3.qcow2"))).Trim());
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

    private static string ConsumersOutput()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("chain-3.qcow2"));
        return $"{chain.Length} {chain.Length} {chain.Map().Count()}";
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

    /// <summary>A program that uses packages of libraries and, so that all of it is looked at, takes the first whole.</summary>
    private async Task<string> WriteConsumer(string name, string properties, string[] libraries, string program)
    {
        string project = packages.Scratch(name);
        string sources = packages.Scratch(name + "-packages");
        foreach (string library in libraries.Select(id => $"{id}.{Packages.Version}.nupkg"))
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
                <RestoreFallbackFolders>{PackageFolder}</RestoreFallbackFolders>
                {properties}
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(libraries.Select(id => $"""<PackageReference Include="{id}" Version="{Packages.Version}" />"""))}
                <TrimmerRootAssembly Include="Qcow2Stream" />
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), program);
        return project;
    }
}
