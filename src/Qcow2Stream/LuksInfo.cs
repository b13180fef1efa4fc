namespace Qcow2Stream;

/// <summary>What the LUKS header of an image says, in the words of <c>qemu-img info</c>. Immutable.</summary>
/// <param name="Cipher">The cipher and its key size, such as "aes-256".</param>
/// <param name="CipherMode">The mode, such as "xts".</param>
/// <param name="IvGenerator">How a sector's initialisation vector is made, such as "plain64"; null where none is recorded.</param>
/// <param name="IvGeneratorHash">The hash that the generator "essiv" uses; null for the others.</param>
/// <param name="Hash">The hash of the key derivation, such as "sha256".</param>
/// <param name="Uuid">The volume's id. It is untrusted text.</param>
/// <param name="PayloadOffset">Where a LUKS volume's data would start, in bytes; unused inside qcow2.</param>
/// <param name="MasterKeyIterations">Rounds of the master key's digest.</param>
/// <param name="KeySlots">The eight key slots.</param>
public sealed record LuksInfo(
    string Cipher,
    string CipherMode,
    string? IvGenerator,
    string? IvGeneratorHash,
    string Hash,
    string Uuid,
    long PayloadOffset,
    long MasterKeyIterations,
    IReadOnlyList<LuksKeySlotInfo> KeySlots);
