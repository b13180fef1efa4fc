namespace Qcow2Stream.Cli.Guest;

/// <summary>A file system of the guest, open. It belongs to one user: its reader has one cursor.</summary>
/// <param name="kind">Its kind as tools name it, such as ext4 or FAT32.</param>
/// <param name="reader">What reads it, or the volume that it is read from.</param>
/// <param name="root">Its root directory.</param>
internal sealed class GuestFileSystem(string kind, IDisposable reader, GuestEntry root) : IDisposable
{
    public string Kind { get; } = kind;

    public GuestEntry Root { get; } = root;

    /// <summary>The label that its maker gave it; untrusted text, empty if there is none.</summary>
    public required string Label { get; init; }

    /// <summary>Counts the bytes in use, for whatever, and the free ones; null where the reader does not tell.</summary>
    public required Func<(long Used, long Available)?> Usage { get; init; }

    /// <summary>What a user should know before trusting what is read; null if there is nothing.</summary>
    public string? Notice { get; init; }

    public void Dispose() => reader.Dispose();
}
