using System.Security.Cryptography;
using Qcow2Stream.Crypto;
using Qcow2Stream.Crypto.Luks;

namespace Qcow2Stream.Images.Luks;

/// <summary>From a LUKS volume's passphrase to its key: judges what the key slots ask for, asks for the passphrase, and tries it on each.</summary>
/// <param name="file">The volume with its header, from its start on.</param>
/// <param name="header">The header.</param>
/// <param name="options">The limits, and whom to ask.</param>
internal sealed class LuksUnlocker(HostFile file, LuksVolumeHeader header, LuksOptions options)
{
    /// <summary>Finds the key.</summary>
    /// <exception cref="PassphraseException">There is no passphrase, or not the right one.</exception>
    /// <exception cref="Qcow2UnsupportedException">The key slots ask for more than is allowed, or for what isn't handled.</exception>
    /// <exception cref="Qcow2Exception">The host could not read, or not give the memory.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public Secret FindKey(CancellationToken cancellationToken)
    {
        long rounds = CheckSlots();
        cancellationToken.ThrowIfCancellationRequested();
        byte[] passphrase = options.Passphrase?.Invoke(
            new EncryptedVolume { Version = header.Version, Uuid = header.Uuid, Label = header.Label, KeyIterations = rounds, Path = file.Path })
            ?? throw new PassphraseException("the volume is encrypted, and no passphrase was given (to give it: Passphrase)", file.Path)
            {
                Hint = nameof(LuksOptions.Passphrase),
            };
        try
        {
            return header.Slots.Select(slot => TryOpen(slot, passphrase, cancellationToken)).FirstOrDefault(key => key is not null)
                ?? throw new PassphraseException(
                    $"the passphrase is wrong: it opens none of the key slots (tried: {header.Slots.Count}{Left()})", file.Path);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(passphrase);
        }
    }

    /// <summary>Before anything is computed or allocated: a wrong passphrase takes what all slots take.</summary>
    private long CheckSlots()
    {
        if (header.Slots.Count == 0)
        {
            throw header.Unhandled is [CryptoUnsupportedException first, ..]
                ? new Qcow2UnsupportedException(first.Feature, $"LUKS header: none of its key slots is handled: {first.Message}", file.Path)
                : new PassphraseException("the volume can't be decrypted: none of its key slots is active", file.Path);
        }

        long memory = header.Slots.Max(slot => slot.Derivation.MemoryBytes);
        if (memory > options.MaxKeyMemory)
        {
            throw TooMuch(
                "memory-hard passphrase",
                $"a key slot asks for {memory} bytes of memory; {options.MaxKeyMemory} are allowed",
                nameof(LuksOptions.MaxKeyMemory));
        }

        Int128 rounds = header.Slots.Aggregate(Int128.Zero, (sum, slot) => sum + slot.Rounds);
        if (rounds > options.MaxKeyIterations)
        {
            throw TooMuch(
                "slow passphrase",
                $"its {header.Slots.Count} key slots ask for {rounds} rounds of PBKDF2, for each block of a key, and KiB of Argon2, for each pass; "
                + $"{options.MaxKeyIterations} are allowed",
                nameof(LuksOptions.MaxKeyIterations));
        }

        return (long)rounds;
    }

    private Secret? TryOpen(LuksKeySlot slot, byte[] passphrase, CancellationToken cancellationToken)
    {
        byte[] material = new byte[slot.MaterialLength];
        int read = file.ReadAt(slot.MaterialOffset, material);
        if (read < material.Length)
        {
            throw new Qcow2FormatException(
                $"the file ends within the {material.Length} bytes of key slot {slot.Index}", file.Path, hostOffset: slot.MaterialOffset + read);
        }

        try
        {
            return slot.TryOpen(material, passphrase, cancellationToken);
        }
        catch (OutOfMemoryException e)
        {
            throw new Qcow2Exception(
                $"the system does not give the {slot.Derivation.MemoryBytes} bytes of memory that key slot {slot.Index} asks for",
                file.Path,
                innerException: e);
        }
    }

    private Qcow2UnsupportedException TooMuch(string feature, string problem, string option) =>
        new(feature, $"LUKS header: {problem} (to allow more: {option})", file.Path) { Hint = option };

    private string Left() =>
        header.Unhandled is [CryptoUnsupportedException first, ..] ? $"; not handled: {header.Unhandled.Count}, for one thing {first.Feature}" : "";
}
