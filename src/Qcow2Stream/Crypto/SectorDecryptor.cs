using System.Security.Cryptography;

namespace Qcow2Stream.Crypto;

/// <summary>Decrypts short runs of sectors in one mode. Safe for one thread at a time; holds its own scratch memory.</summary>
internal abstract class SectorDecryptor : IDisposable
{
    /// <summary>The length of a sector, in bytes.</summary>
    public const int SectorLength = 512;

    /// <summary>
    /// The most sectors at a time: 16 KiB of data and of scratch memory stay in a first-level cache, and a call of the
    /// platform's cipher is paid for 1024 blocks.
    /// </summary>
    public const int MaxSectors = 32;

    /// <summary>Room for the longest run.</summary>
    protected byte[] Scratch { get; } = new byte[MaxSectors * SectorLength];

    /// <summary>Decrypts at most <see cref="MaxSectors"/> whole sectors in place.</summary>
    public abstract void Decrypt(Span<byte> data, long firstSector);

    /// <summary>Lets go of the keys and clears what was in work.</summary>
    public void Dispose()
    {
        DisposeTransforms();
        CryptographicOperations.ZeroMemory(Scratch);
    }

    /// <summary>Disposes of what the mode holds.</summary>
    protected abstract void DisposeTransforms();
}
