namespace Qcow2Stream.FileSystems;

/// <summary>How a guest is opened.</summary>
public sealed record GuestOptions
{
    /// <summary>
    /// Whether what the guest is opened from (a chain, a stream, a source that is <see cref="IDisposable"/>) stays open when
    /// the guest is disposed, or can't be opened. By default it is disposed in both cases.
    /// </summary>
    public bool LeaveOpen { get; init; }

    /// <summary>
    /// How many entries of one directory are listed before that counts as damage: 1 or more, by default 2 million. A listing in order, a walk or a copy
    /// keeps each in memory, about 150 bytes.
    /// </summary>
    public int MaxDirectoryEntries
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 2_000_000;

    internal static GuestOptions Default { get; } = new();
}
