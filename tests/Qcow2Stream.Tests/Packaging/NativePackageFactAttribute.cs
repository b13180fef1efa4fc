namespace Qcow2Stream.Tests.Packaging;

/// <summary>A <see cref="PackageFactAttribute"/> that makes native code, which takes a linker.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NativePackageFactAttribute : FactAttribute
{
    public NativePackageFactAttribute() => Skip = new PackageFactAttribute().Skip
        ?? (Environment.GetEnvironmentVariable("CI") == "true" || HasLinker() ? null : "no C compiler (clang, gcc or cc) is installed, which links native code");

    private static bool HasLinker() => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Any(directory => ((string[])["clang", "gcc", "cc"]).Any(name => File.Exists(Path.Combine(directory, name))));
}
