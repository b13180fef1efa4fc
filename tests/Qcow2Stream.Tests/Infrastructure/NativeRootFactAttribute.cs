namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>A test of the native binary that only root of Linux can make: it changes what is mounted.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NativeRootFactAttribute : FactAttribute
{
    public NativeRootFactAttribute() =>
        Skip = Native.WhyNot ?? (OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess ? null : "only root of Linux can take /proc away");
}
