namespace Qcow2Stream.Crypto.Luks;

/// <summary>Where a volume's data is, and how it is encrypted.</summary>
/// <param name="Offset">Where it starts, in bytes from the start of the header; a multiple of 512.</param>
/// <param name="Length">In bytes, a multiple of <paramref name="SectorSize"/>; null if it goes on to the end of the file.</param>
/// <param name="FirstSector">The number of its first sector, in units of 512 bytes.</param>
/// <param name="SectorSize">The length of a sector of encryption, in bytes: 512, 1024, 2048 or 4096.</param>
/// <param name="Cipher">The cipher, its mode and its initialization vectors.</param>
internal sealed record LuksSegment(long Offset, long? Length, long FirstSector, int SectorSize, CipherSpec Cipher)
{
    /// <summary>How many bytes there are in a file of <paramref name="fileLength"/> bytes.</summary>
    /// <exception cref="CryptoFormatException">The file ends before they do.</exception>
    public long LengthIn(long fileLength)
    {
        long available = fileLength - Offset;
        if (available < (Length ?? 0))
        {
            throw new CryptoFormatException($"its data are {Length ?? 0} bytes from {Offset} on, and the file ends at {fileLength}");
        }

        return Length ?? (available / SectorSize * SectorSize);
    }
}
