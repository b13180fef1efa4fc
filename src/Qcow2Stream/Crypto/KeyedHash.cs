namespace Qcow2Stream.Crypto;

/// <summary>HMAC under one key, again and again. Safe for one thread at a time.</summary>
internal abstract class KeyedHash : IDisposable
{
    /// <summary>The length of what it computes, in bytes.</summary>
    public abstract int Length { get; }

    /// <summary>The HMAC of <paramref name="data"/>, into <paramref name="output"/>, which may be the same bytes.</summary>
    public abstract void Compute(ReadOnlySpan<byte> data, Span<byte> output);

    /// <summary>Lets go of the key.</summary>
    public abstract void Dispose();
}
