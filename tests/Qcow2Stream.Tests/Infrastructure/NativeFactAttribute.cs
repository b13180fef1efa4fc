namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>A test of the native binary that `dotnet publish -r` makes, which QCOW2_NATIVE names.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NativeFactAttribute : FactAttribute
{
    public NativeFactAttribute() => Skip = Native.WhyNot;
}
