using System.IO.Compression;
using System.Xml.Linq;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>
/// The tree is built with the packages that it takes substitutes for by default. Where the registry doesn't serve them, they are
/// made here: those of DiscUtils of the same assemblies, Verify of the substitute, with the names that the real one has beside it.
/// </summary>
public sealed class SwitchTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [PackageFact]
    public async Task BothSwitches_BuildTheTestsThatPass_AndAToolThatNamesWhatItIsMadeOf()
    {
        string feed = Directory.CreateDirectory(_directory.File("feed")).FullName;
        string tree = _directory.File("tree");
        await Packages.CopyTree(tree, file => !file.StartsWith("tests/Qcow2Stream.Benchmarks/", StringComparison.Ordinal));
        DiscUtilsPackages.Write(feed);
        await WriteVerify(feed, tree);

        // What is made here never gets into the folder of the machine's packages, which has all others.
        string[] switches =
        [
            "-p:DiscUtilsSource=nuget",
            "-p:VerifySource=nuget",
            $"-p:RestorePackagesPath={_directory.File("packages")}",
            $"-p:RestoreFallbackFolders={Packages.Folder}",
            $"-p:RestoreAdditionalProjectSources={feed}",
            "-p:RunAnalyzers=false",
            "--nologo",
        ];
        await Packages.Run("dotnet", tree, ["build", "tests/Qcow2Stream.Tests", "-v", "quiet", .. switches]);
        await Packages.Run("dotnet", tree, "vstest", "tests/Qcow2Stream.Tests/bin/Debug/net10.0/Qcow2Stream.Tests.dll", "--TestCaseFilter:FullyQualifiedName~MapSummaryTests");
        Assert.Empty(Directory.GetFiles(tree, "packages.unlocked.json", SearchOption.AllDirectories));

        string packages = _directory.File("made");
        foreach (string project in (string[])["src/Qcow2Stream.FileSystems", "src/Qcow2Stream.Cli"])
        {
            await Packages.Run("dotnet", tree, ["pack", project, "-c", "Debug", "--no-build", "-o", packages, .. switches]);
        }

        using ZipArchive library = ZipFile.OpenRead(Directory.GetFiles(packages, "Qcow2Stream.FileSystems.*.nupkg").Single());
        using Stream nuspec = library.GetEntry("Qcow2Stream.FileSystems.nuspec")!.Open();
        string[] needed = [.. XDocument.Load(nuspec).Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => $"{e.Attribute("id")!.Value} {e.Attribute("version")!.Value}")];
        Assert.Contains($"LTRData.DiscUtils.Udf [{DiscUtilsPackages.Version}, 1.1.0)", needed);
        PackageTests.AssertNamesWhatItIsMadeOf(ZipFile.OpenRead(Directory.GetFiles(packages, "Qcow2Stream.Cli.*.nupkg").Single()));
    }

    public void Dispose() => _directory.Dispose();

    private async Task WriteVerify(string feed, string tree)
    {
        string version = XDocument.Load(Path.Combine(tree, "src/Directory.Packages.props")).Descendants("PackageVersion").Single(v => v.Attribute("Include")!.Value == "Verify.Xunit").Attribute("Version")!.Value;
        string project = Directory.CreateDirectory(_directory.File("verify")).FullName;
        await File.WriteAllTextAsync(Path.Combine(project, "Verify.Xunit.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <Version>{version}</Version>
              </PropertyGroup>
              <ItemGroup>
                <Compile Include="{tree}/tests/Verify.Compat/**/*.cs" Exclude="{tree}/tests/Verify.Compat/obj/**" />
                <PackageReference Include="DiffEngine" Version="16.2.1" />
                <PackageReference Include="xunit.extensibility.core" Version="2.9.3" />
                <None Include="Verify.Xunit.props" Pack="true" PackagePath="buildTransitive" />
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(project, "TempDirectory.cs"), "namespace VerifyTests;\n\npublic sealed class TempDirectory;\n");
        await File.WriteAllTextAsync(Path.Combine(project, "Verify.Xunit.props"), """
            <Project>
              <ItemGroup>
                <Using Include="VerifyTests" />
                <Using Include="VerifyXunit" />
                <AssemblyAttribute Include="VerifyXunit.UseVerifyAttribute" />
              </ItemGroup>
            </Project>
            """);
        await Packages.Run("dotnet", project, "pack", "-o", feed, "-v", "quiet", "--nologo");
    }
}
