using System.Security.Cryptography;
using Qcow2Stream.Crypto;
using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Format;
using Qcow2Stream.Text;

namespace Qcow2Stream.Images;

/// <summary>
/// The key of one encrypted image: asks for the passphrase at the first read of data, tries all key slots, and keeps
/// the cipher until it is disposed. Safe for any number of threads.
/// </summary>
internal sealed class LayerKey(TableFile image, Qcow2EncryptionMethod method, Qcow2OpenOptions options) : IDisposable
{
    private readonly Turns _gate = new();
    private volatile SectorCipher? _cipher;
    private volatile bool _disposed;

    /// <summary>How the image is encrypted.</summary>
    public Qcow2EncryptionMethod Method { get; } = method;

    /// <summary>Reads the LUKS header; null for an image that is not encrypted by LUKS.</summary>
    /// <exception cref="Qcow2FormatException">The header is damaged.</exception>
    /// <exception cref="Qcow2UnsupportedException">It uses an algorithm that is not known.</exception>
    public static async ValueTask<Luks1Header?> ReadLuksHeaderAsync(Qcow2Image image, bool async, CancellationToken cancellationToken)
    {
        if (image.Header.EncryptionMethod != Qcow2EncryptionMethod.Luks)
        {
            return null;
        }

        EncryptionExtension extension = Locate(image);
        byte[] bytes = new byte[Luks1Header.Length];
        await TablePieces.ReadExactlyAsync(image, extension.Offset, bytes, "the LUKS header", async, cancellationToken)
            .ConfigureAwait(false);
        return Translated(image, extension.Offset, () => Luks1Header.Parse(bytes, extension.Length));
    }

    /// <summary>The cipher; found at the first call.</summary>
    /// <exception cref="PassphraseException">There is no passphrase, or not the right one.</exception>
    public async ValueTask<SectorCipher> GetCipherAsync(bool async, CancellationToken cancellationToken)
    {
        if (_cipher is { } known)
        {
            return known;
        }

        using Turns.Turn turn = await _gate.TakeAsync(async, cancellationToken).ConfigureAwait(false);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _cipher ??= await UnlockAsync(async, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Wipes the key.</summary>
    public void Dispose()
    {
        // One that is being found is waited for, and wiped too.
        using Turns.Turn turn = _gate.Take();
        _disposed = true;
        _cipher?.Dispose();
    }

    private async ValueTask<SectorCipher> UnlockAsync(bool async, CancellationToken cancellationToken)
    {
        Luks1Header? luks = image is Qcow2Image qcow2
            ? await ReadLuksHeaderAsync(qcow2, async, cancellationToken).ConfigureAwait(false)
            : null;
        if (luks is not null)
        {
            CheckRounds(luks);
        }

        cancellationToken.ThrowIfCancellationRequested();
        byte[] passphrase = options.Passphrase?.Invoke(new EncryptedImage { ImagePath = image.File.Path, Method = Method, Uuid = luks?.Uuid })
            ?? throw new PassphraseException(
                "the image is encrypted, and no passphrase was given (to give it: Passphrase)", image.File.Path)
            {
                Hint = nameof(Qcow2OpenOptions.Passphrase),
            };
        try
        {
            return luks is null
                ? LegacyAes.CreateCipher(passphrase)
                : await UnlockAsync((Qcow2Image)image, luks, passphrase, async, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(passphrase);
        }
    }

    private async ValueTask<SectorCipher> UnlockAsync(
        Qcow2Image qcow2, Luks1Header luks, byte[] passphrase, bool async, CancellationToken cancellationToken)
    {
        long start = Locate(qcow2).Offset;
        int tried = 0;
        foreach (Luks1KeySlot slot in luks.Slots.Where(s => s.Active))
        {
            tried++;
            byte[] material = new byte[slot.KeyMaterialLength];
            await TablePieces.ReadExactlyAsync(
                image, start + slot.KeyMaterialOffset, material, "a key slot", async, cancellationToken).ConfigureAwait(false);
            if (Translated(
                image, start, () => luks.TryUnlock(slot, material, passphrase, cancellationToken)) is { } cipher)
            {
                return cipher;
            }
        }

        throw new PassphraseException(
            tried == 0
                ? "the image can't be decrypted: none of its key slots is active"
                : $"the passphrase is wrong: it opens none of the active key slots (tried: {tried})",
            image.File.Path);
    }

    /// <summary>Before the first round: a wrong passphrase takes those of all slots.</summary>
    private void CheckRounds(Luks1Header luks)
    {
        long rounds = luks.RoundsToTryAll;
        if (rounds > options.MaxKeyIterations)
        {
            throw new Qcow2UnsupportedException(
                "slow passphrase",
                $"LUKS header: its {luks.Slots.Count(s => s.Active)} active key slots ask for {rounds} PBKDF2 rounds, counted for each block of a key; "
                + $"{options.MaxKeyIterations} are allowed (to allow more: {nameof(Qcow2OpenOptions.MaxKeyIterations)})",
                image.File.Path)
            {
                Hint = nameof(Qcow2OpenOptions.MaxKeyIterations),
            };
        }
    }

    private static EncryptionExtension Locate(Qcow2Image image) =>
        EncryptionExtension.Parse(image.Header, image.Geometry, image.FileLengthFor(long.MaxValue), image.File.Path);

    private static T Translated<T>(TableFile image, long hostOffset, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (CryptoFormatException e)
        {
            throw new Qcow2FormatException($"LUKS header: {e.Message}", image.File.Path, hostOffset: hostOffset, innerException: e);
        }
        catch (CryptoUnsupportedException e)
        {
            throw new Qcow2UnsupportedException(e.Feature, $"LUKS header: {e.Message}", image.File.Path, hostOffset);
        }
    }
}
