namespace Qcow2Stream;

/// <summary>What the LUKS header of an image says, in the words of <c>qemu-img info</c>. Immutable.</summary>
public sealed record LuksInfo
{
    internal LuksInfo()
    {
    }

    /// <summary>The cipher and its key size, such as "aes-256".</summary>
    public required string Cipher { get; init; }

    /// <summary>The mode, such as "xts".</summary>
    public required string CipherMode { get; init; }

    /// <summary>How a sector's initialisation vector is made, such as "plain64"; null where none is recorded.</summary>
    public string? IvGenerator { get; init; }

    /// <summary>The hash that the generator "essiv" uses; null for the others.</summary>
    public string? IvGeneratorHash { get; init; }

    /// <summary>The hash of the key derivation, such as "sha256".</summary>
    public required string Hash { get; init; }

    /// <summary>The volume's id. It is untrusted text.</summary>
    public required string Uuid { get; init; }

    /// <summary>Where a LUKS volume's data would start, in bytes; unused inside qcow2.</summary>
    public required long PayloadOffset { get; init; }

    /// <summary>Rounds of the master key's digest.</summary>
    public required long MasterKeyIterations { get; init; }

    /// <summary>The eight key slots.</summary>
    public required IReadOnlyList<LuksKeySlotInfo> KeySlots { get; init; }
}
