using Qcow2Stream.Crypto;
using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Images.Luks;

namespace Qcow2Stream;

/// <summary>
/// A LUKS volume, opened with a passphrase or the bytes of a key file: the bytes that it protects, by position. There is no cursor, so any number of
/// threads may read at once; <see cref="Dispose"/> beside running reads lets them end, or ends them in <see cref="ObjectDisposedException"/>.
/// </summary>
/// <remarks>
/// <para>
/// Versions 1 and 2 are read (LUKS On-Disk Format Specification 1.2.3, LUKS2 On-Disk Format Specification 1.1.3), with PBKDF2, Argon2i and Argon2id;
/// with AES, Serpent, Twofish and CAST5 in XTS, CBC, CTR and ECB mode; vectors by plain, plain64 and essiv; and sectors of 512 to 4096 bytes. Of the two
/// headers of version 2, the newer one whose checksum is right is taken. Its key slots are tried by their priority, those of the lowest one last; tokens
/// are ignored.
/// </para>
/// <para>
/// Refused by name: volumes that are being reencrypted, that have integrity protection or other requirements, or whose header is detached; other
/// ciphers, such as <c>cipher_null</c>, which protects nothing, or those of the kernel's own names (<c>capi:</c>).
/// </para>
/// </remarks>
public sealed class LuksVolume : IDisposable
{
    private readonly HostFile _file;
    private readonly LuksSegment _segment;
    private readonly SectorCipher _cipher;
    private volatile bool _disposed;

    private LuksVolume(HostFile file, LuksVolumeHeader header, LuksSegment segment, long length, SectorCipher cipher)
    {
        _file = file;
        _segment = segment;
        _cipher = cipher;
        Version = header.Version;
        Uuid = header.Uuid;
        Label = header.Label;
        Length = length;
    }

    /// <summary>The version of LUKS: 1 or 2.</summary>
    public int Version { get; }

    /// <summary>The volume's id. It is untrusted text.</summary>
    public string Uuid { get; }

    /// <summary>The volume's label; empty for none, as always in version 1. It is untrusted text.</summary>
    public string Label { get; }

    /// <summary>The cipher, its mode and how a sector's initialization vector is made, such as "aes-xts-plain64".</summary>
    public string Cipher => _segment.Cipher.FullName;

    /// <summary>The length of a sector of encryption, in bytes: 512, 1024, 2048 or 4096. Reads may start and end within one.</summary>
    public int SectorSize => _segment.SectorSize;

    /// <summary>
    /// How many bytes the volume protects: what its header says, or as many whole sectors as there were up to the end of the file when it was opened.
    /// </summary>
    public long Length { get; }

    /// <summary>Reads the header, asks for the passphrase, and tries it on the key slots, one after another.</summary>
    /// <param name="file">
    /// The volume with its header, from its start on. It is the caller's: it is closed neither with the volume nor if opening fails, and must stay open
    /// for as long as the volume is read.
    /// </param>
    /// <param name="options">The passphrase, and what a key slot may ask for.</param>
    /// <param name="cancellationToken">Ends the call, also within a derivation that takes longer than a second or so.</param>
    /// <exception cref="PassphraseException">There is no passphrase, or it is wrong.</exception>
    /// <exception cref="Qcow2FormatException">It is no LUKS volume, or the header is damaged, or the file ends before the volume does.</exception>
    /// <exception cref="Qcow2UnsupportedException">
    /// It uses a feature that isn't handled, or asks for more than <see cref="LuksOptions.MaxKeyIterations"/> or <see cref="LuksOptions.MaxKeyMemory"/>.
    /// </exception>
    /// <exception cref="Qcow2Exception">The host could not read the file, or not give the memory that a key slot asks for.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static LuksVolume Open(HostFile file, LuksOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            long fileLength = file.GetLength();
            LuksVolumeHeader header = LuksHeaderReader.Read(file, fileLength, cancellationToken);
            long length = header.Segment?.LengthIn(fileLength) ?? 0;
            using Secret key = new LuksUnlocker(file, header, options).FindKey(cancellationToken);

            // A key was found, so there are data for it.
            LuksSegment segment = header.Segment!;
            return new LuksVolume(file, header, segment, length, new SectorCipher(segment.Cipher, key.Bytes, segment.SectorSize));
        }
        catch (CryptoFormatException e)
        {
            throw new Qcow2FormatException($"LUKS header: {e.Message}", file.Path, innerException: e);
        }
        catch (CryptoUnsupportedException e)
        {
            throw new Qcow2UnsupportedException(e.Feature, $"LUKS header: {e.Message}", file.Path);
        }
    }

    /// <summary>Reads until <paramref name="buffer"/> is full or the volume ends.</summary>
    /// <param name="offset">Where in the volume to start, in bytes; 0 or more.</param>
    /// <param name="buffer">Receives the bytes. If the call fails, what is in it is undefined.</param>
    /// <returns>The bytes read; fewer than asked only at the end of the volume, and 0 past it.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="offset"/> is negative.</exception>
    /// <exception cref="Qcow2Exception">The host could not read the file, or it has become shorter.</exception>
    /// <exception cref="ObjectDisposedException">The volume, or its file, was closed.</exception>
    public int ReadAt(long offset, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ObjectDisposedException.ThrowIf(_disposed, this);
        int length = (int)Math.Min(buffer.Length, Math.Max(Length - offset, 0));
        buffer = buffer[..length];

        // The part of a sector at the start, whole sectors, and the part of one at the end.
        int skipped = (int)(offset % SectorSize);
        int first = skipped == 0 ? 0 : Math.Min(SectorSize - skipped, length);
        ReadPart(offset, buffer[..first]);
        int whole = (length - first) / SectorSize * SectorSize;
        ReadSectors(offset + first, buffer.Slice(first, whole));
        ReadPart(offset + first + whole, buffer[(first + whole)..]);
        return length;
    }

    /// <summary>Wipes the key. The file stays open.</summary>
    public void Dispose()
    {
        _disposed = true;
        _cipher.Dispose();
    }

    private void ReadPart(long offset, Span<byte> part)
    {
        if (part.IsEmpty)
        {
            return;
        }

        Span<byte> sector = stackalloc byte[SectorDecryptor.MaxSectorLength];
        sector = sector[..SectorSize];
        int skipped = (int)(offset % SectorSize);
        ReadSectors(offset - skipped, sector);
        sector.Slice(skipped, part.Length).CopyTo(part);
    }

    private void ReadSectors(long offset, Span<byte> sectors)
    {
        if (sectors.IsEmpty)
        {
            return;
        }

        long hostOffset = _segment.Offset + offset;
        int read = _file.ReadAt(hostOffset, sectors);
        if (read < sectors.Length)
        {
            throw new Qcow2FormatException("the file has become shorter than its LUKS volume", _file.Path, hostOffset: hostOffset + read);
        }

        _cipher.Decrypt(sectors, _segment.FirstSector + (offset / SectorDecryptor.Unit));
    }
}
