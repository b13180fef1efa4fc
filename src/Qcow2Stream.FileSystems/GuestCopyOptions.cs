namespace Qcow2Stream.FileSystems;

/// <summary>How a tree is copied to the host.</summary>
public sealed record GuestCopyOptions
{
    /// <summary>
    /// Receives what can't be copied; the rest is. Null: the first fault ends the copy with its exception. What it throws
    /// ends the copy too.
    /// </summary>
    public Action<GuestFault>? OnFault { get; init; }

    internal static GuestCopyOptions Default { get; } = new();
}
