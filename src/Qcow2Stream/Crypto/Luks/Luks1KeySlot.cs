namespace Qcow2Stream.Crypto.Luks;

/// <summary>One of the eight places of a LUKS header that can hold the master key under a passphrase.</summary>
/// <param name="Index">Which one, from 0 to 7.</param>
/// <param name="Active">Whether it holds a key.</param>
/// <param name="Iterations">The rounds of PBKDF2 for its passphrase.</param>
/// <param name="Salt">The salt for the same.</param>
/// <param name="KeyMaterialOffset">Where its key material starts, in bytes from the start of the LUKS header.</param>
/// <param name="KeyMaterialLength">How long that is, in bytes, up to the end of its last sector.</param>
/// <param name="Stripes">The parts that the master key was split into.</param>
internal sealed record Luks1KeySlot(
    int Index,
    bool Active,
    uint Iterations,
    ReadOnlyMemory<byte> Salt,
    long KeyMaterialOffset,
    int KeyMaterialLength,
    int Stripes);
