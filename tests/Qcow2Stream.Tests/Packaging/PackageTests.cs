using System.IO.Compression;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CliWrap.Buffered;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>What `dotnet pack` gives, looked at from outside.</summary>
public sealed partial class PackageTests(Packages packages) : IClassFixture<Packages>
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

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
        Assert.Equal(File.ReadAllBytes(Path.Combine(Repository.Root, "LICENSE")), Read(package, "LICENSE"));

        Assert.Equal([0x89, .. "PNG"u8], Read(package, "icon.png")[..4]);
        Assert.Equal(
            [$"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml"],
            package.Entries.Select(e => e.FullName).Where(n => n.StartsWith("lib/", StringComparison.Ordinal)).Order());
    }

    /// <summary>The page is the README, and what that links from its own place can be followed from any other.</summary>
    [PackageTheory]
    [InlineData("Qcow2Stream", "README.md")]
    [InlineData("Qcow2Stream.Nbd", "src/Qcow2Stream.Nbd/README.md")]
    [InlineData("Qcow2Stream.FileSystems", "src/Qcow2Stream.FileSystems/README.md")]
    [InlineData("Qcow2Stream.Cli", "src/Qcow2Stream.Cli/README.md")]
    public async Task Page_LeadsToTheSourcesThatWerePacked(string id, string readme)
    {
        using ZipArchive package = await Open(id);
        string page = Encoding.UTF8.GetString(Read(package, "README.md"));
        string source = await File.ReadAllTextAsync(Path.Combine(Repository.Root, readme));
        Assert.Equal(LinkTarget().Replace(source, ""), LinkTarget().Replace(page, ""));
        Uri here = new(new Uri($"{Packages.Home}/blob/{packages.Commit}/"), readme);
        Assert.Equal(
            LinkTarget().Matches(source).Select(link => new Uri(here, link.Groups["to"].Value).AbsoluteUri),
            LinkTarget().Matches(page).Select(link => link.Groups["to"].Value.Replace(
                $"https://raw.githubusercontent.com/example/qcow2stream/{packages.Commit}/", $"{Packages.Home}/blob/{packages.Commit}/", StringComparison.Ordinal)));
        Assert.DoesNotMatch(@"!\[[^\]]*\]\((?!https://raw\.)", page);
    }

    /// <summary>A clone without a home on the network packs a page without links that lead nowhere.</summary>
    [PackageFact]
    public async Task Page_OfACloneWithoutARemote_HasNoLinksToSources()
    {
        await packages.Get();
        string project = Path.Combine(packages.Tree("release"), "src/Qcow2Stream.Cli");
        await Packages.Run("dotnet", project, "msbuild", "-nologo", "-t:PackReadme", "-p:Configuration=Release", "-p:EnableSourceControlManagerQueries=false", "-p:IntermediateOutputPath=obj/unlinked/");
        string page = await File.ReadAllTextAsync(Path.Combine(project, "obj/unlinked/package-page.md"));
        string[] links = [.. LinkTarget().Matches(page).Select(link => link.Groups["to"].Value)];
        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.StartsWith("https://", link, StringComparison.Ordinal));
        Assert.Matches(@"(?<!\[)Qcow2Stream\.Nbd(?!\])", page);
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
    }

    /// <summary>From another directory, and in one go: the same bytes to the last, where SOURCE_DATE_EPOCH gives the time.</summary>
    [PackageTheory]
    [InlineData("Qcow2Stream")]
    [InlineData("Qcow2Stream.Nbd")]
    [InlineData("Qcow2Stream.FileSystems")]
    [InlineData("Qcow2Stream.Cli")]
    public async Task Package_MadeOnceMoreElsewhere_IsTheSame(string id)
    {
        foreach (string file in (string[])[$"{id}.{Packages.Version}.nupkg", $"{id}.{Packages.Version}.snupkg"])
        {
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(await packages.Get(), file)), await File.ReadAllBytesAsync(Path.Combine(await packages.GetAgain(), file)));
        }
    }

    /// <summary>The bill of materials has every file that was packed, with its hash, and every package that is needed or included.</summary>
    [PackageTheory]
    [InlineData("Qcow2Stream")]
    [InlineData("Qcow2Stream.Nbd")]
    [InlineData("Qcow2Stream.FileSystems")]
    [InlineData("Qcow2Stream.Cli")]
    public async Task Package_CarriesTheBillOfItsMaterials(string id)
    {
        using ZipArchive package = await Open(id);
        using JsonDocument bill = JsonDocument.Parse(Read(package, "_manifest/spdx_2.2/manifest.spdx.json"));
        Assert.Equal("2020-01-01T00:00:00Z", bill.RootElement.GetProperty("creationInfo").GetProperty("created").GetString());
        string[] listed = [.. bill.RootElement.GetProperty("files").EnumerateArray().Select(f => $"{f.GetProperty("fileName").GetString()} {f.GetProperty("checksums")[0].GetProperty("checksumValue").GetString()}")];
        string[] packed = [.. package.Entries.Select(e => e.FullName).Where(name => !PartOfTheFormat().IsMatch(name)).Select(name => $"./{name} {Convert.ToHexStringLower(SHA256.HashData(Read(package, name)))}")];
        Assert.Equal(packed.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));

        string[] used = [.. bill.RootElement.GetProperty("packages").EnumerateArray().Select(p => $"{p.GetProperty("name").GetString()} {p.GetProperty("versionInfo").GetString()}")];
        Assert.Contains($"{id} {Packages.Version}", used);
        Assert.Equal(id != "Qcow2Stream.Nbd", used.Contains($"LTRData.DiscUtils.Core {DiscUtilsPackages.Version}"));
        string[] needed = id == "Qcow2Stream.Cli"
            ? [.. LibrariesOf(package)]
            : [.. Child(Metadata(package), "dependencies").Descendants().Where(e => e.Name.LocalName == "dependency").Select(d => $"{d.Attribute("id")!.Value} {d.Attribute("version")!.Value.Split(',')[0].Trim('[')}")];
        Assert.NotEmpty(needed);
        Assert.All(needed, name => Assert.Contains(name, used));
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

    [PackageFact]
    public async Task Tool_NamesWhatItIsMadeOf() => AssertNamesWhatItIsMadeOf(await Open("Qcow2Stream.Cli"));

    /// <summary>Every assembly that the tool brings along is named, and where it comes from as a package, in its version.</summary>
    internal static void AssertNamesWhatItIsMadeOf(ZipArchive tool)
    {
        using ZipArchive package = tool;
        string notices = Encoding.UTF8.GetString(Read(package, "THIRD-PARTY-NOTICES.txt"));
        string[] assemblies = [.. package.Entries.Select(e => e.Name).Where(name => name.EndsWith(".dll", StringComparison.Ordinal) && name is not ("qcow2.dll" or "Qcow2Stream.dll" or "Qcow2Stream.FileSystems.dll" or "Qcow2Stream.Nbd.dll"))];
        Assert.NotEmpty(assemblies);
        Assert.All(assemblies, assembly => Assert.Contains($" ({assembly})\n", notices, StringComparison.Ordinal));
        string[] libraries = [.. LibrariesOf(package)];
        Assert.NotEmpty(libraries);
        Assert.All(libraries, library => Assert.Contains($"\n{library} (", notices, StringComparison.Ordinal));
        Assert.All(
            assemblies.Where(name => name.StartsWith("DiscUtils.", StringComparison.Ordinal)),
            name => Assert.Contains($"\nLTRData.{Path.GetFileNameWithoutExtension(name)} {DiscUtilsPackages.Version} ({name})\n", notices, StringComparison.Ordinal));
    }

    /// <summary>The packages whose assemblies the tool has in it.</summary>
    private static IEnumerable<string> LibrariesOf(ZipArchive tool)
    {
        using JsonDocument made = JsonDocument.Parse(Read(tool, "tools/net10.0/any/qcow2.deps.json"));
        return [.. made.RootElement.GetProperty("libraries").EnumerateObject().Where(l => l.Value.GetProperty("type").GetString() == "package").Select(l => l.Name.Replace('/', ' '))];
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
            yield return $"LTRData.DiscUtils.{assembly} [{DiscUtilsPackages.Version}, 1.1.0)";
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

    [GeneratedRegex(@"(?<=\])\((?<to>(?!#)[^)\s]+)\)")]
    private static partial Regex LinkTarget();

    [GeneratedRegex(@"^(\[Content_Types\]\.xml|_rels/|package/|_manifest/|[^/]*\.nuspec$)")]
    private static partial Regex PartOfTheFormat();

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
