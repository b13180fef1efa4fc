namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>For tests that need /proc, or Linux' flags of mmap.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxFactAttribute : FactAttribute
{
    public override string? Skip
    {
        get => OperatingSystem.IsLinux() ? base.Skip : "only Linux has that";
        set => base.Skip = value;
    }
}
