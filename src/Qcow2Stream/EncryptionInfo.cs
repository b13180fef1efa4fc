namespace Qcow2Stream;

/// <summary>How an image is encrypted: what can be known without its key. Immutable.</summary>
public sealed record EncryptionInfo
{
    internal EncryptionInfo()
    {
    }

    /// <summary>The method.</summary>
    public required Qcow2EncryptionMethod Method { get; init; }

    /// <summary>What the LUKS header says; null unless <see cref="Method"/> is <see cref="Qcow2EncryptionMethod.Luks"/>.</summary>
    public LuksInfo? Luks { get; init; }
}
