namespace Qcow2Stream.Tests.Packaging;

/// <summary>A <see cref="PackageFactAttribute"/> with rows.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PackageTheoryAttribute : TheoryAttribute
{
    public PackageTheoryAttribute() => Skip = new PackageFactAttribute().Skip;
}
