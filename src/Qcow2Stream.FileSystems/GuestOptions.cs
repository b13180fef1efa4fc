namespace Qcow2Stream.FileSystems;

/// <summary>How a guest is opened.</summary>
public sealed record GuestOptions
{
    /// <summary>
    /// Whether what the guest is opened from (a chain, a stream, a source that is <see cref="IDisposable"/>) stays open when
    /// the guest is disposed, or can't be opened. By default it is disposed in both cases.
    /// </summary>
    public bool LeaveOpen { get; init; }

    internal static GuestOptions Default { get; } = new();
}
