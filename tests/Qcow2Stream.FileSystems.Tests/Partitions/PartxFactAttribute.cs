namespace Qcow2Stream.FileSystems.Tests.Partitions;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class PartxFactAttribute : FactAttribute
{
    public PartxFactAttribute() => Skip = Partx.WhyNot;
}
