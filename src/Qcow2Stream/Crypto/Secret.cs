using System.Security.Cryptography;

namespace Qcow2Stream.Crypto;

/// <summary>
/// Bytes that must not outlive their use: pinned, so that the garbage collector leaves no copies behind, and
/// zeroed when disposed.
/// </summary>
/// <param name="length">How many bytes; all zero at first.</param>
internal sealed class Secret(int length) : IDisposable
{
    /// <summary>The bytes themselves, for those calls that take nothing but an array.</summary>
    public byte[] Bytes { get; } = GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>Copies <paramref name="source"/>.</summary>
    public static Secret CopyOf(ReadOnlySpan<byte> source)
    {
        Secret copy = new(source.Length);
        source.CopyTo(copy.Bytes);
        return copy;
    }

    /// <summary>Zeroes the bytes.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(Bytes);
}
