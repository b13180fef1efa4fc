namespace Qcow2Stream;

/// <summary>One key slot of a LUKS header. Immutable.</summary>
/// <param name="IsActive">Whether it holds the master key under some passphrase.</param>
/// <param name="Iterations">Rounds of the key derivation.</param>
/// <param name="KeyOffset">Where its key material is, in bytes from the start of the LUKS header.</param>
/// <param name="Stripes">How many stripes the key material is split into.</param>
public sealed record LuksKeySlotInfo(bool IsActive, long Iterations, long KeyOffset, long Stripes);
