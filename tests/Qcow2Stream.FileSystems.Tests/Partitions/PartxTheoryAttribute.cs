namespace Qcow2Stream.FileSystems.Tests.Partitions;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class PartxTheoryAttribute : TheoryAttribute
{
    public PartxTheoryAttribute() => Skip = Partx.WhyNot;
}
