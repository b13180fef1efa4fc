namespace Qcow2Stream;

/// <summary>One key slot of a LUKS header. Immutable.</summary>
public sealed record LuksKeySlotInfo
{
    internal LuksKeySlotInfo()
    {
    }

    /// <summary>Whether it holds the master key under some passphrase.</summary>
    public required bool IsActive { get; init; }

    /// <summary>Rounds of the key derivation.</summary>
    public required long Iterations { get; init; }

    /// <summary>Where its key material is, in bytes from the start of the LUKS header.</summary>
    public required long KeyOffset { get; init; }

    /// <summary>How many stripes the key material is split into.</summary>
    public required long Stripes { get; init; }
}
