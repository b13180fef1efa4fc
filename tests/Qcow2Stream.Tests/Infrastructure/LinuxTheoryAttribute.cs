namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>For tests whose truth is Linux, or its tools that are everywhere.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxTheoryAttribute : TheoryAttribute
{
    public override string? Skip
    {
        get => OperatingSystem.IsLinux() ? base.Skip : "only Linux has that";
        set => base.Skip = value;
    }
}
