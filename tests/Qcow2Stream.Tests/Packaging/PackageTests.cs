using System.Globalization;
using System.IO.Compression;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using CliWrap.Buffered;
using Qcow2Stream.FileSystems;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>What `dotnet pack` gives, looked at from outside.</summary>
public sealed class PackageTests(Packages packages) : IClassFixture<Packages>
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

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

        using Guest guest = Guest.Open(Qcow2Chain.Open(args[0]));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        foreach ((string path, GuestEntry entry) in files.Root.EnumerateTree(fault => Console.WriteLine($"{fault.Path}: {fault.Message}")))
        {
            Console.WriteLine($"{entry.Kind} {entry.UnixMode?.Permissions} {entry.ModifiedUtc.Ticks} {entry.Length} {path}");
        }
        """;

    private static string PackageFolder => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    [PackageTheory]
    [InlineData("Qcow2Stream")]
    [InlineData("Qcow2Stream.Nbd")]
    [InlineData("Qcow2Stream.FileSystems")]
    public async Task Library_HasWhatAPackageHas(string id)
    {
        using ZipArchive package = await Open(id);
        XElement metadata = Metadata(package);
        Assert.Equal(Packages.Version, Value(metadata, "version"));
        Assert.Equal("MIT", Value(metadata, "license"));
        Assert.Equal("README.md", Value(metadata, "readme"));
        Assert.Equal("icon.png", Value(metadata, "icon"));
        Assert.Contains("qcow2", Value(metadata, "tags").Split(' '));
        Assert.NotEmpty(Value(metadata, "description"));
        XElement repository = Child(metadata, "repository");
        Assert.Equal((Packages.Home, packages.Commit), (repository.Attribute("url")!.Value.Replace(".git", "", StringComparison.Ordinal), repository.Attribute("commit")!.Value));
        string readme = id == "Qcow2Stream" ? "README.md" : $"src/{id}/README.md";
        Assert.Equal(File.ReadAllBytes(Path.Combine(Repository.Root, readme)), Read(package, "README.md"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(Repository.Root, "LICENSE")), Read(package, "LICENSE"));

        Assert.Equal([0x89, .. "PNG"u8], Read(package, "icon.png")[..4]);
        Assert.Equal(
            [$"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml"],
            package.Entries.Select(e => e.FullName).Where(n => n.StartsWith("lib/", StringComparison.Ordinal)).Order());
    }

    [PackageTheory]
    [InlineData("Qcow2Stream")]
    [InlineData("Qcow2Stream.FileSystems")]
    public async Task Library_NamesTheMaintainedDiscUtilsAndWhatElseItNeeds(string id)
    {
        using ZipArchive package = await Open(id);
        XElement group = Assert.Single(Child(Metadata(package), "dependencies").Elements());
        Assert.Equal("net10.0", group.Attribute("targetFramework")!.Value);
        Assert.Equal(Expected(id).Order(), group.Elements().Select(d => $"{d.Attribute("id")!.Value} {d.Attribute("version")!.Value}").Order());
    }

    [PackageFact]
    public async Task Nbd_NeedsTheLibraryOfItsOwnVersionAndNothingElse()
    {
        using ZipArchive package = await Open("Qcow2Stream.Nbd");
        XElement needed = Assert.Single(Assert.Single(Child(Metadata(package), "dependencies").Elements()).Elements());
        Assert.Equal(("Qcow2Stream", Packages.Version), (needed.Attribute("id")!.Value, needed.Attribute("version")!.Value));
    }

    [PackageTheory]
    [InlineData("Qcow2Stream")]
    [InlineData("Qcow2Stream.Nbd")]
    [InlineData("Qcow2Stream.FileSystems")]
    public async Task Library_DocumentsEveryPublicType(string id)
    {
        using ZipArchive package = await Open(id);
        HashSet<string> documented = [.. XDocument.Load(new MemoryStream(Read(package, $"lib/net10.0/{id}.xml")))
            .Descendants("member").Where(m => m.Elements().Any()).Select(m => m.Attribute("name")!.Value)];
        Type[] types = Assembly.Load(id).GetExportedTypes();
        Assert.NotEmpty(types);
        Assert.All(types, type => Assert.Contains("T:" + type.FullName!.Replace('+', '.'), documented));
    }

    [PackageTheory]
    [InlineData("Qcow2Stream")]
    [InlineData("Qcow2Stream.FileSystems")]
    public async Task Library_IsMarkedAndBuiltToBeMadeAgain(string id)
    {
        using ZipArchive package = await Open(id);
        byte[] assembly = Read(package, $"lib/net10.0/{id}.dll");
        using PEReader image = new(new MemoryStream(assembly));
        Assert.Contains(image.ReadDebugDirectory(), entry => entry.Type == DebugDirectoryEntryType.Reproducible);
        string[] marks = [.. Attributes(image.GetMetadataReader(), "AssemblyMetadataAttribute", values: 2)];
        Assert.Contains("IsTrimmable=True", marks);
        Assert.Contains("IsAotCompatible=True", marks);

        // From another directory, and in one go: the same bytes, or the sources' place is in them.
        string again = await packages.PackAsync($"elsewhere-{id}", buildFirst: false, $"src/{id}");
        using ZipArchive other = ZipFile.OpenRead(Path.Combine(again, $"{id}.{Packages.Version}.nupkg"));
        Assert.Equal(assembly, Read(other, $"lib/net10.0/{id}.dll"));
    }

    [PackageTheory]
    [InlineData("Qcow2Stream", "lib/net10.0/Qcow2Stream.dll")]
    [InlineData("Qcow2Stream.Nbd", "lib/net10.0/Qcow2Stream.Nbd.dll")]
    [InlineData("Qcow2Stream.FileSystems", "lib/net10.0/Qcow2Stream.FileSystems.dll")]
    [InlineData("Qcow2Stream.Cli", "tools/net10.0/any/Qcow2Stream.dll")]
    [InlineData("Qcow2Stream.Cli", "tools/net10.0/any/qcow2.dll")]
    public async Task Assembly_HasTheVersionOfItsPackage(string id, string assembly)
    {
        using ZipArchive package = await Open(id);
        using PEReader image = new(new MemoryStream(Read(package, assembly)));
        Assert.Equal(
            [$"{Packages.Version}+{packages.Commit}"],
            Attributes(image.GetMetadataReader(), "AssemblyInformationalVersionAttribute", values: 1));
    }

    /// <summary>Packing looks at what it has made, if that is a library.</summary>
    [PackageTheory]
    [InlineData("src/Qcow2Stream", "true")]
    [InlineData("src/Qcow2Stream.Cli", "false")]
    public async Task LibraryIsValidatedWhenPacked_AndTheToolIsNot(string project, string expected)
    {
        await packages.Get();
        string tree = packages.Tree("release");
        Assert.Equal(expected, (await Packages.Run("dotnet", tree, "msbuild", project, "-nologo", "-getProperty:EnablePackageValidation")).Trim());
    }

    [PackageTheory]
    [InlineData("src/Qcow2Stream")]
    [InlineData("src/Qcow2Stream.Nbd")]
    [InlineData("src/Qcow2Stream.Cli")]
    public async Task TagSetAfterTheBuild_IsNoReasonToPackWhatWasBuiltBefore(string project)
    {
        await packages.Get();
        string tree = packages.Tree("release");
        await Packages.Run("git", tree, "tag", "--force", "v9.9.9");
        try
        {
            BufferedCommandResult result = await Packages.TryRun("dotnet", tree, "pack", project, "-c", "Release", "--no-build", "--nologo", "-o", packages.Scratch("stale"));
            Assert.NotEqual(0, result.ExitCode);
            Assert.Contains($"The package would be 9.9.9, and what is in it was built as '{Packages.Version}'", result.StandardOutput, StringComparison.Ordinal);
        }
        finally
        {
            await Packages.Run("git", tree, "tag", "--delete", "v9.9.9");
        }
    }

    [PackageTheory]
    [InlineData("Qcow2Stream", "lib/net10.0/Qcow2Stream.pdb")]
    [InlineData("Qcow2Stream.Nbd", "lib/net10.0/Qcow2Stream.Nbd.pdb")]
    [InlineData("Qcow2Stream.FileSystems", "lib/net10.0/Qcow2Stream.FileSystems.pdb")]
    [InlineData("Qcow2Stream.Cli", "tools/net10.0/any/Qcow2Stream.pdb")]
    [InlineData("Qcow2Stream.Cli", "tools/net10.0/any/qcow2.pdb")]
    public async Task Symbols_LeadToTheSources(string id, string file)
    {
        using ZipArchive symbols = ZipFile.OpenRead(Path.Combine(await packages.Get(), $"{id}.{Packages.Version}.snupkg"));
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(Read(symbols, file)));
        MetadataReader reader = provider.GetMetadataReader();
        string link = Encoding.UTF8.GetString(reader.CustomDebugInformation
            .Select(reader.GetCustomDebugInformation)
            .Where(information => reader.GetGuid(information.Kind) == SourceLink)
            .Select(information => reader.GetBlobBytes(information.Value))
            .Single());
        Assert.Contains($"/example/qcow2stream/{packages.Commit}/*", link, StringComparison.Ordinal);
    }

    [PackageFact]
    public async Task Tool_IsInstalledAndRuns()
    {
        string tools = packages.Scratch("tools");
        string work = packages.Scratch("tool-work");
        await WriteSources(work, await packages.Get());
        await Packages.Run("dotnet", work, "tool", "install", "Qcow2Stream.Cli", "--version", Packages.Version, "--tool-path", tools);
        string tool = Path.Combine(tools, OperatingSystem.IsWindows() ? "qcow2.exe" : "qcow2");
        Assert.Equal($"{Packages.Version}+{packages.Commit}", (await Packages.Run(tool, work, "--version")).Trim());
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("chain-3.qcow2"));
        using MemoryStream expected = new();
        chain.Map().WriteText(expected);
        Assert.Equal(Encoding.UTF8.GetString(expected.ToArray()), await Packages.Run(tool, work, "dump-map", Repository.Image("chain-3.qcow2")));
        using ZipArchive package = await Open("Qcow2Stream.Cli");
        Assert.Equal("DotnetTool", Child(Metadata(package), "packageTypes").Elements().Single().Attribute("name")!.Value);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Repository.Root, "LICENSE")), Read(package, "LICENSE"));
    }

    /// <summary>Every assembly that the tool brings along is named, and where it comes from as a package, in its version.</summary>
    [PackageFact]
    public async Task Tool_NamesWhatItIsMadeOf()
    {
        using ZipArchive package = await Open("Qcow2Stream.Cli");
        Assert.Equal(File.ReadAllBytes(Path.Combine(Repository.Root, "src/Qcow2Stream.Cli/README.md")), Read(package, "README.md"));
        string notices = Encoding.UTF8.GetString(Read(package, "THIRD-PARTY-NOTICES.txt"));
        string[] assemblies = [.. package.Entries.Select(e => e.Name).Where(name => name.EndsWith(".dll", StringComparison.Ordinal) && name is not ("qcow2.dll" or "Qcow2Stream.dll" or "Qcow2Stream.FileSystems.dll" or "Qcow2Stream.Nbd.dll"))];
        Assert.NotEmpty(assemblies);
        Assert.All(assemblies, assembly => Assert.Contains($" ({assembly})\n", notices, StringComparison.Ordinal));
        using JsonDocument made = JsonDocument.Parse(Read(package, "tools/net10.0/any/qcow2.deps.json"));
        string[] libraries = [.. made.RootElement.GetProperty("libraries").EnumerateObject().Where(l => l.Value.GetProperty("type").GetString() == "package").Select(l => l.Name)];
        Assert.NotEmpty(libraries);
        Assert.All(libraries, library => Assert.Contains($"\n{library.Replace('/', ' ')} (", notices, StringComparison.Ordinal));
        string discUtils = XDocument.Load(Path.Combine(Repository.Root, "src/Directory.Packages.props")).Descendants("DiscUtilsVersion").Single().Value;
        Assert.All(
            assemblies.Where(name => name.StartsWith("DiscUtils.", StringComparison.Ordinal)),
            name => Assert.Contains($"\nLTRData.{Path.GetFileNameWithoutExtension(name)} {discUtils} ({name})\n", notices, StringComparison.Ordinal));
    }

    [PackageFact]
    public async Task Consumer_BuildsWithoutWarningsAndRuns()
    {
        string project = await WriteConsumer("consumer", "<TreatWarningsAsErrors>true</TreatWarningsAsErrors>", ["Qcow2Stream"], ChainProgram);
        await Packages.Run("dotnet", project, "build", "--nologo", "-o", "out");
        Assert.Equal(ConsumersOutput(), (await Packages.Run("dotnet", project, Path.Combine("out", "consumer.dll"), Repository.Image("chain-3.qcow2"))).Trim());
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

    /// <summary>The readers of file systems look by reflection for what a native program must then have kept, with the package alone and nothing set.</summary>
    [NativePackageFact]
    public async Task FileSystemsConsumer_PublishedAsNativeCode_ListsEveryKindOfGuest()
    {
        string project = await WriteConsumer(
            "native-guests", "<PublishAot>true</PublishAot><TrimmerSingleWarn>false</TrimmerSingleWarn>", ["Qcow2Stream", "Qcow2Stream.FileSystems"], GuestProgram);
        string output = await Packages.Run("dotnet", project, "publish", "--nologo", "--use-current-runtime", "-o", "out");
        Assert.DoesNotMatch("warning IL[0-9]+: [^\n]*Qcow2Stream", output);
        string program = Path.Combine(project, "out", OperatingSystem.IsWindows() ? "consumer.exe" : "consumer");
        foreach (string disk in (string[])["ext4", "xfs", "btrfs-subvolumes", "iso", "udf-bridge", "hfsplus", "ntfs", "fat32"])
        {
            Assert.Equal(ListedHere(GuestImages.Disk(disk)), await Packages.Run(program, project, GuestImages.Disk(disk)));
        }
    }

    /// <summary>What the project refers to, and does not keep to itself, with the versions that are set for all.</summary>
    private static IEnumerable<string> Expected(string id)
    {
        XDocument project = XDocument.Load(Path.Combine(Repository.Root, $"src/{id}/{id}.csproj"));
        foreach (XElement reference in project.Descendants("ProjectReference"))
        {
            yield return $"{Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)} {Packages.Version}";
        }

        XDocument versions = XDocument.Load(Path.Combine(Repository.Root, "src/Directory.Packages.props"));
        foreach (XElement reference in project.Descendants("PackageReference").Where(r => r.Attribute("PrivateAssets") is null))
        {
            string needed = reference.Attribute("Include")!.Value;
            yield return $"{needed} {versions.Descendants("PackageVersion").Single(v => v.Attribute("Include")!.Value == needed).Attribute("Version")!.Value}";
        }

        foreach (string assembly in project.Descendants("DiscUtilsAssembly").Single().Attribute("Include")!.Value.Split(';'))
        {
            yield return $"LTRData.DiscUtils.{assembly} {versions.Descendants("DiscUtilsVersion").Single().Value}";
        }
    }

    /// <summary>What an assembly says of itself in attributes of this name, whose values are so many strings.</summary>
    private static IEnumerable<string> Attributes(MetadataReader reader, string name, int values) => reader.GetAssemblyDefinition().GetCustomAttributes()
        .Select(reader.GetCustomAttribute)
        .Where(attribute => attribute.Constructor.Kind == HandleKind.MemberReference
            && reader.GetString(reader.GetTypeReference((TypeReferenceHandle)reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent).Name) == name)
        .Select(attribute =>
        {
            BlobReader value = reader.GetBlobReader(attribute.Value);
            value.ReadUInt16();
            return string.Join('=', Enumerable.Range(0, values).Select(_ => value.ReadSerializedString()));
        });

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

    /// <summary>Where packages come from for what is run in <paramref name="directory"/>: a folder and, if it needs them, the usual places.</summary>
    private static Task WriteSources(string directory, string folder, bool alsoConfigured = false) =>
        File.WriteAllTextAsync(Path.Combine(directory, "nuget.config"), $"""
            <configuration>
              <packageSources>
                {(alsoConfigured ? "" : "<clear />")}
                <add key="folder" value="{folder}" />
              </packageSources>
            </configuration>
            """);

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
                <PackageReference Include="{libraries[^1]}" Version="{Packages.Version}" />
                <TrimmerRootAssembly Include="Qcow2Stream" />
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), program);
        return project;
    }

    private static XElement Metadata(ZipArchive package) =>
        XDocument.Load(new MemoryStream(Read(package, package.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).FullName)))
            .Root!.Elements().Single();

    private static XElement Child(XElement element, string name) => element.Elements().Single(e => e.Name.LocalName == name);

    private static string Value(XElement element, string name) => Child(element, name).Value;

    private static byte[] Read(ZipArchive package, string name)
    {
        using Stream entry = package.GetEntry(name)!.Open();
        using MemoryStream content = new();
        entry.CopyTo(content);
        return content.ToArray();
    }

    private async Task<ZipArchive> Open(string id) => ZipFile.OpenRead(Path.Combine(await packages.Get(), $"{id}.{Packages.Version}.nupkg"));
}
