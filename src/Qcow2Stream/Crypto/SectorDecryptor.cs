using System.Security.Cryptography;

namespace Qcow2Stream.Crypto;

/// <summary>Decrypts short runs of sectors in one mode. Safe for one thread at a time; holds its own scratch memory.</summary>
/// <param name="sectorLength">The length of a sector, in bytes: a power of two from <see cref="Unit"/> to <see cref="MaxSectorLength"/>.</param>
internal abstract class SectorDecryptor(int sectorLength) : IDisposable
{
    /// <summary>What sectors are counted in, in bytes, whatever their own length: as dm-crypt does unless it is told iv_large_sectors.</summary>
    public const int Unit = 512;

    /// <summary>The longest sector, in bytes: dm-crypt's and LUKS2's limit.</summary>
    public const int MaxSectorLength = 4096;

    /// <summary>
    /// The most bytes at a time: as much data and scratch memory stay in a first-level cache, and a call of the platform's
    /// cipher is paid for 1024 blocks.
    /// </summary>
    public const int MaxRun = 16 << 10;

    /// <summary>The length of a sector, in bytes.</summary>
    protected int SectorLength => sectorLength;

    /// <summary>Room for the longest run.</summary>
    protected byte[] Scratch { get; } = new byte[MaxRun];

    /// <summary>Decrypts whole sectors, at most <see cref="MaxRun"/> bytes of them, in place.</summary>
    /// <param name="data">The sectors.</param>
    /// <param name="firstSector">The number of the first one, in units of <see cref="Unit"/> bytes.</param>
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
