namespace Qcow2Stream.Tests.Cli;

/// <summary>A test that runs a shell of this name.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ShellFactAttribute : FactAttribute
{
    public ShellFactAttribute(string shell) =>
        Skip = OperatingSystem.IsWindows() ? $"the tool's stand-in is a script for sh, and {shell} a shell of Unix"
            : Environment.GetEnvironmentVariable("CI") == "true" || IsInstalled(shell) ? null
            : $"{shell} is not installed";

    private static bool IsInstalled(string shell) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Any(directory => File.Exists(Path.Combine(directory, shell)));
}
