namespace Qcow2Stream.FileSystems;

/// <summary>How a tree is copied to the host.</summary>
public sealed record GuestCopyOptions
{
    /// <summary>
    /// Receives what can't be copied; the rest is. Null: the first fault ends the copy with its exception. What it throws
    /// ends the copy too.
    /// </summary>
    public Action<GuestFault>? OnFault { get; init; }

    /// <summary>
    /// How many bytes of files' content are read, at most: holes and zeros that aren't stored don't count. 0 or more, by default 16 TiB. More than
    /// that ends the copy: a small image can hold a file under a million names.
    /// </summary>
    public long MaxBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 1L << 44;

    internal static GuestCopyOptions Default { get; } = new();
}
