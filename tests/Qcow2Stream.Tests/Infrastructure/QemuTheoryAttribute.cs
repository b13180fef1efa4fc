namespace Qcow2Stream.Tests.Infrastructure;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class QemuTheoryAttribute : TheoryAttribute
{
    public QemuTheoryAttribute() => Skip = Qemu.WhyNot;
}
