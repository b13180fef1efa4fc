using System.Text.Json;
using CliWrap;
using CliWrap.Buffered;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>Nothing is built with what this repository doesn't know by its hash.</summary>
public sealed class SupplyChainTests : IDisposable
{
    private const string Bundle = "microsoft.cst.devskim.cli/1.0.100";

    private readonly TempDirectory _directory = new();

    /// <summary>A folder of packages whose name ends without a slash, with one assembly of DiscUtils as it should be, or not.</summary>
    [Theory]
    [InlineData("Core;Streams", "intact", "")]
    [InlineData("Core;Streams", "changed", "DiscUtils.Streams.dll isn't the assembly that DiscUtils.props expects: its SHA-256 is ")]
    [InlineData("Core;Streams", "missing", "DiscUtils.Streams.dll' because it does not exist")]
    [InlineData("Core;Streams;Wim", "intact", "DiscUtils.Wim.dll has no SHA-256 in DiscUtils.props")]
    public async Task AssemblyOfDiscUtils_IsWhatThisRepositoryKnows_OrNothingIsBuilt(string names, string state, string expected)
    {
        string packages = _directory.File("packages");
        string assembly = Path.Combine(CopyBundle(packages), "DiscUtils.Streams.dll");
        if (state == "changed")
        {
            byte[] content = await File.ReadAllBytesAsync(assembly);
            content[^1] ^= 1;
            await File.WriteAllBytesAsync(assembly, content);
        }
        else if (state == "missing")
        {
            File.Delete(assembly);
        }

        string project = Directory.CreateDirectory(_directory.File("project")).FullName;
        await File.WriteAllTextAsync(Path.Combine(project, "project.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <Import Project="{Repository.Root}/src/DiscUtils.props" />
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
              </PropertyGroup>
              <ItemGroup>
                <DiscUtilsAssembly Include="{names}" />
              </ItemGroup>
              <Import Project="{Repository.Root}/src/DiscUtils.targets" />
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(project, "Class.cs"), "public class Class : DiscUtils.Streams.ZeroStream { public Class() : base(1) { } }\n");
        BufferedCommandResult result = await CliWrap.Cli.Wrap("dotnet")
            .WithArguments(["build", "--nologo", "-v", "quiet", "-p:UseSharedCompilation=false"])
            .WithWorkingDirectory(project)
            .WithEnvironmentVariables(environment => environment.Set("NUGET_PACKAGES", packages).Set("MSBUILDDISABLENODEREUSE", "1"))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync();

        // Each is told once where it happens, and once at the end.
        string[] errors = [.. result.StandardOutput.Split('\n', StringSplitOptions.TrimEntries).Where(line => line.Contains(": error ", StringComparison.Ordinal)).Distinct()];
        if (expected.Length == 0)
        {
            Assert.Empty(errors);
            Assert.Equal(0, result.ExitCode);
        }
        else
        {
            Assert.Contains(expected, Assert.Single(errors), StringComparison.Ordinal);
        }
    }

    /// <summary>The tool's is that of the runtime that its native code is for. None names a place that packages came from.</summary>
    [Fact]
    public void EveryProject_HasALockFileThatNamesNoPlace()
    {
        string[] projects = [.. new[] { "src", "tests" }.SelectMany(folder => Directory.GetDirectories(Path.Combine(Repository.Root, folder)))
            .Where(folder => Directory.GetFiles(folder, "*.csproj").Length > 0)];
        Assert.NotEmpty(projects);
        Assert.All(projects, project =>
        {
            string[] files = Directory.GetFiles(project, "packages.*lock.json");
            Assert.NotEmpty(files);
            Assert.All(files, file =>
            {
                string text = File.ReadAllText(file);
                using JsonDocument json = JsonDocument.Parse(text);
                Assert.DoesNotContain("://", text, StringComparison.Ordinal);
            });
        });
    }

    /// <summary>Packing restores in its own way, and where such a file isn't there it writes one. (With another SDK none is looked at.)</summary>
    [Theory]
    [InlineData("Qcow2Stream")]
    [InlineData("Qcow2Stream.FileSystems")]
    [InlineData("Qcow2Stream.Nbd")]
    [InlineData("Qcow2Stream.Cli")]
    public async Task Package_HasALockFileOfItsOwn(string project)
    {
        BufferedCommandResult result = await CliWrap.Cli.Wrap("dotnet")
            .WithArguments(["msbuild", Path.Combine("src", project), "-nologo", "-getProperty:NuGetLockFilePath", "-p:_IsPacking=true"])
            .WithWorkingDirectory(Repository.Root)
            .ExecuteBufferedAsync();
        string name = result.StandardOutput.Trim() is { Length: > 0 } named ? named : "packages.lock.json";
        Assert.True(name.EndsWith("packages.unlocked.json", StringComparison.Ordinal) || File.Exists(Path.Combine(Repository.Root, "src", project, name)), name);
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>As much of the package as a restore looks at, and its assemblies.</summary>
    private static string CopyBundle(string packages)
    {
        string source = Path.Combine(Packages.Folder, Bundle);
        string target = Path.Combine(packages, Bundle);
        string assemblies = Path.Combine("tools", "net10.0", "any");
        Directory.CreateDirectory(Path.Combine(target, assemblies));
        foreach (string file in Directory.GetFiles(source).Where(f => !f.EndsWith(".nupkg", StringComparison.Ordinal)).Concat(Directory.GetFiles(Path.Combine(source, assemblies), "*.dll")))
        {
            File.Copy(file, Path.Combine(target, Path.GetRelativePath(source, file)));
        }

        return Path.Combine(target, assemblies);
    }
}
