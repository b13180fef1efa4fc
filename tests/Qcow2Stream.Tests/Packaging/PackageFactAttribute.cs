using System.ComponentModel;
using System.Diagnostics;

namespace Qcow2Stream.Tests.Packaging;

/// <summary>A test that makes packages, which takes git.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PackageFactAttribute : FactAttribute
{
    private static readonly string? WhyNot =
        Environment.GetEnvironmentVariable("CI") == "true" || HasGit() ? null : "git is not installed";

    public PackageFactAttribute() => Skip = WhyNot;

    private static bool HasGit()
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("git", "--version") { RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
