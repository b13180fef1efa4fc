namespace Qcow2Stream;

/// <summary>A spot of a damaged image that <see cref="Qcow2OpenOptions.Lenient"/> filled in.</summary>
public readonly record struct ImageDamage
{
    /// <summary>What is wrong there, and what was read instead.</summary>
    public required string Reason { get; init; }

    /// <summary>The file; null for a stream without a name.</summary>
    public string? ImagePath { get; init; }

    /// <summary>Where the guest's range starts, in bytes; null if the spot belongs to none.</summary>
    public long? GuestOffset { get; init; }

    /// <summary>How many guest bytes are affected; 0 if that isn't known.</summary>
    public long GuestLength { get; init; }

    /// <summary>Where in the file, in bytes; null if that isn't known.</summary>
    public long? HostOffset { get; init; }
}
