using CliWrap;
using CliWrap.Buffered;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>The packages of this tree, as a release of it would make them: committed, tagged and with a home on the network.</summary>
public sealed class Packages : IDisposable
{
    public const string Version = "1.2.3";
    public const string Home = "https://github.com/example/qcow2stream";

    // What is built the second time was looked at the first time.
    private static readonly string[] WithoutAnalysis = ["-p:RunAnalyzers=false"];

    private readonly TempDirectory _directory = new();
    private readonly Lazy<Task<string>> _packed;
    private readonly Lazy<Task<string>> _packedAgain;

    public Packages()
    {
        _packed = new(() => PackAsync("release"));
        _packedAgain = new(async () =>
        {
            await Get();
            return await PackAsync("elsewhere", WithoutAnalysis);
        });
    }

    /// <summary>Where restored packages are.</summary>
    internal static string Folder => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    internal string Scratch(string name) => Directory.CreateDirectory(_directory.File(name)).FullName;

    internal string Commit { get; private set; } = "";

    /// <summary>The directory with all packages, and the symbols of each.</summary>
    internal Task<string> Get() => _packed.Value;

    /// <summary>The directory with the same packages, made once more in another place.</summary>
    internal Task<string> GetAgain() => _packedAgain.Value;

    /// <summary>The directory that the packages were made in.</summary>
    internal string Tree(string name) => _directory.File(name);

    /// <summary>Copies the tree into a directory of its own, builds projects of it there, and packs what is built, as a release does after its tests.</summary>
    private async Task<string> PackAsync(string name, params string[] options)
    {
        string tree = Tree(name);

        // What the packages are made of, and no test.
        await CopyTree(tree, file => !file.StartsWith("tests/", StringComparison.Ordinal) && !file.StartsWith("snapshots/", StringComparison.Ordinal));
        await Git(tree, "init", "--quiet", "--initial-branch=main");
        await Git(tree, "remote", "add", "origin", Home + ".git");
        await Git(tree, "add", "--all");
        await Git(tree, "-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "commit", "--quiet", "--message=all", "--date=2020-01-01T00:00:00Z");
        await Git(tree, "tag", "v" + Version);
        Commit = (await Git(tree, "rev-parse", "HEAD")).Trim();
        string packages = Scratch(name + "-packages");
        foreach (string project in (string[])["src/Qcow2Stream", "src/Qcow2Stream.FileSystems", "src/Qcow2Stream.Nbd", "src/Qcow2Stream.Cli"])
        {
            await Run("dotnet", tree, ["build", project, "-c", "Release", "-warnaserror", "--nologo", "-v", "quiet", .. options]);
            await Run("dotnet", tree, "pack", project, "-c", "Release", "-o", packages, "-warnaserror", "--nologo", "-v", "quiet", "--no-build");
        }

        return packages;
    }

    /// <summary>Copies files that are under version control, or could be, as they are now.</summary>
    internal static async Task CopyTree(string target, Func<string, bool> isWanted)
    {
        string files = await Git(Repository.Root, "ls-files", "-z", "--cached", "--others", "--exclude-standard");
        foreach (string file in files.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(isWanted).Where(file => File.Exists(Path.Combine(Repository.Root, file))))
        {
            string copy = Path.Combine(target, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(Repository.Root, file), copy);
        }
    }

    /// <summary>Runs a program, which must succeed.</summary>
    internal static async Task<string> Run(string program, string directory, params string[] arguments)
    {
        BufferedCommandResult result = await TryRun(program, directory, arguments);
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {result.StandardOutput}{result.StandardError}");
        return result.StandardOutput;
    }

    /// <summary>Runs a program on a machine that is not known to be one for building.</summary>
    internal static async Task<BufferedCommandResult> TryRun(string program, string directory, params string[] arguments) =>
        await CliWrap.Cli.Wrap(program)
            .WithArguments(arguments)
            .WithWorkingDirectory(directory)
            .WithEnvironmentVariables(environment => environment
                .Set("CI", null)
                .Set("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")
                .Set("SOURCE_DATE_EPOCH", "1577836800")
                .Set("MSBUILDDISABLENODEREUSE", "1"))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync();

    public void Dispose() => _directory.Dispose();

    private static Task<string> Git(string directory, params string[] arguments) => Run("git", directory, arguments);
}
