namespace Qcow2Stream;

/// <summary>A LUKS volume whose passphrase is asked for.</summary>
public sealed record EncryptedVolume
{
    /// <summary>The version of LUKS: 1 or 2.</summary>
    public required int Version { get; init; }

    /// <summary>The volume's id. It is untrusted text.</summary>
    public required string Uuid { get; init; }

    /// <summary>The volume's label; empty for none. It is untrusted text.</summary>
    public required string Label { get; init; }

    /// <summary>
    /// The work that a passphrase takes, if it is wrong, counted as <see cref="LuksOptions.MaxKeyIterations"/> is; whoever opens several volumes may add it up.
    /// </summary>
    public required long KeyIterations { get; init; }

    /// <summary>The file that the volume is in, as <see cref="HostFile.Path"/> has it; null for one without a name.</summary>
    public required string? Path { get; init; }
}
