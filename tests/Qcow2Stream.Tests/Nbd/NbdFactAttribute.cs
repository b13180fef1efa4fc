namespace Qcow2Stream.Tests.Nbd;

/// <summary>A test with the clients of libnbd and QEMU.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NbdFactAttribute : FactAttribute
{
    public NbdFactAttribute() => Skip = NbdTools.WhyNot;
}
