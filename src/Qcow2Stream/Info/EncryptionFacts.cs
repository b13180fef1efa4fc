using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Images;
using Qcow2Stream.Layers;

namespace Qcow2Stream.Info;

/// <summary>Reads how an image is encrypted, which takes no key.</summary>
internal static class EncryptionFacts
{
    /// <summary>Null if the image isn't encrypted.</summary>
    /// <exception cref="Qcow2FormatException">The LUKS header is damaged.</exception>
    /// <exception cref="Qcow2UnsupportedException">It uses an algorithm that isn't known.</exception>
    public static async ValueTask<EncryptionInfo?> ReadAsync(Layer layer, bool async, CancellationToken cancellationToken)
    {
        if (!layer.IsEncrypted)
        {
            return null;
        }

        if (layer is not Qcow2Layer qcow2)
        {
            // Version 1 of the format has but the one method.
            return new EncryptionInfo { Method = Qcow2EncryptionMethod.Aes };
        }

        Luks1Header? luks = await LayerKey.ReadLuksHeaderAsync(qcow2.Image, async, cancellationToken).ConfigureAwait(false);
        return new EncryptionInfo { Method = qcow2.Header.EncryptionMethod, Luks = luks is null ? null : Describe(luks) };
    }

    private static LuksInfo Describe(Luks1Header luks) => new()
    {
        Cipher = luks.Cipher.CipherName,
        CipherMode = luks.Cipher.ModeName,
        IvGenerator = luks.Cipher.IvName,
        IvGeneratorHash = luks.Cipher.EssivHash?.Name,
        Hash = luks.Hash.Name,
        Uuid = luks.Uuid,
        PayloadOffset = luks.PayloadOffset,
        MasterKeyIterations = luks.MasterKeyIterations,
        KeySlots = [.. luks.Slots.Select(Describe)],
    };

    private static LuksKeySlotInfo Describe(Luks1KeySlot slot) => new()
    {
        IsActive = slot.Active,
        Iterations = slot.Iterations,
        KeyOffset = slot.KeyMaterialOffset,
        Stripes = slot.Stripes,
    };
}
