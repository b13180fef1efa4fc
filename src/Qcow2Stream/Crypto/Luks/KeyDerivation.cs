namespace Qcow2Stream.Crypto.Luks;

/// <summary>How a key is made of a passphrase, or a digest of a key.</summary>
internal abstract class KeyDerivation
{
    /// <summary>The memory that it takes, in bytes; 0 if that isn't worth counting.</summary>
    public virtual long MemoryBytes => 0;

    /// <summary>The work for a key of <paramref name="keyLength"/> bytes, in rounds of PBKDF2 or what takes about as long.</summary>
    public abstract Int128 Rounds(int keyLength);

    /// <summary>Fills <paramref name="key"/>. What that takes the caller has judged.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public abstract void Derive(ReadOnlySpan<byte> passphrase, Span<byte> key, CancellationToken cancellationToken);
}
