namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>For tests that need symbolic links, hard links or pipes.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class UnixFactAttribute : FactAttribute
{
    public override string? Skip
    {
        get => OperatingSystem.IsWindows() ? "Windows has no such files" : base.Skip;
        set => base.Skip = value;
    }
}
