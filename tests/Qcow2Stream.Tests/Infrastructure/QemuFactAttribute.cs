namespace Qcow2Stream.Tests.Infrastructure;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class QemuFactAttribute : FactAttribute
{
    public QemuFactAttribute() => Skip = Qemu.WhyNot;
}
