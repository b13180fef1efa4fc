using System.Text;
using Qcow2Stream.Crypto;
using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>
/// A raw LUKS file. Key material and payload are random bytes: every key material yields some master key and every
/// payload some plaintext, so nothing has to be encrypted to make a file. Whether they yield the right ones, QEMU says.
/// </summary>
internal sealed class LuksFixture
{
    public const int ActiveSlot = 2;
    public const int PayloadLength = 40 * 512;
    public const int SlotIterations = 11;
    public const int DigestIterations = 7;
    public const string Uuid = "00112233-4455-6677-8899-aabbccddeeff";

    private const int Stripes = 4000;
    private const int Alignment = 4096;

    public LuksFixture(string cipher, int keyBytes, string mode, string hash)
    {
        int slotSpace = ((keyBytes * Stripes) + Alignment - 1) / Alignment * Alignment;
        int payloadOffset = Alignment + (Luks1Layout.SlotCount * slotSpace);
        Random random = new(keyBytes);

        Bytes = new byte[payloadOffset + PayloadLength];
        Bytes.WriteBytes(Luks1Layout.Magic, [0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE, 0x00, 0x01])
            .WriteBytes(Luks1Layout.CipherName, Encoding.ASCII.GetBytes(cipher))
            .WriteBytes(Luks1Layout.CipherMode, Encoding.ASCII.GetBytes(mode))
            .WriteBytes(Luks1Layout.HashSpec, Encoding.ASCII.GetBytes(hash))
            .WriteU32(Luks1Layout.PayloadOffset, (uint)payloadOffset / 512)
            .WriteU32(Luks1Layout.KeyBytes, (uint)keyBytes)
            .WriteU32(Luks1Layout.MasterKeyIterations, DigestIterations)
            .WriteBytes(Luks1Layout.Uuid, Encoding.ASCII.GetBytes(Uuid));
        random.NextBytes(Bytes.AsSpan(Luks1Layout.MasterKeySalt, Luks1Layout.SaltLength));
        for (int i = 0; i < Luks1Layout.SlotCount; i++)
        {
            int slot = SlotAt(i);
            int keyMaterial = Alignment + (i * slotSpace);
            Bytes.WriteU32(slot + Luks1Layout.SlotActive, i == ActiveSlot ? 0x00AC71F3u : 0x0000DEADu)
                .WriteU32(slot + Luks1Layout.SlotKeyMaterialOffset, (uint)keyMaterial / 512)
                .WriteU32(slot + Luks1Layout.SlotStripes, Stripes);
            if (i == ActiveSlot)
            {
                Bytes.WriteU32(slot + Luks1Layout.SlotIterations, SlotIterations);
                random.NextBytes(Bytes.AsSpan(slot + Luks1Layout.SlotSalt, Luks1Layout.SaltLength));
                random.NextBytes(Bytes.AsSpan(keyMaterial, keyBytes * Stripes));
            }
        }

        random.NextBytes(Bytes.AsSpan(payloadOffset));

        Luks1Header header = Parse();
        using Secret masterKey = header.RecoverMasterKey(header.Slots[ActiveSlot], KeyMaterial(header), Passphrase);
        Bytes.WriteBytes(Luks1Layout.MasterKeyDigest, header.DigestOf(masterKey));
    }

    public static byte[] Passphrase { get; } = "pässword"u8.ToArray();

    /// <summary>The whole file.</summary>
    public byte[] Bytes { get; }

    public static int SlotAt(int index) => Luks1Layout.KeySlots + (index * Luks1Layout.SlotLength);

    public Luks1Header Parse() => Luks1Header.Parse(Bytes, Bytes.Length);

    public ReadOnlySpan<byte> KeyMaterial(Luks1Header header) => KeyMaterialOf(Bytes, header.Slots[ActiveSlot]);

    public SectorCipher Unlock()
    {
        Luks1Header header = Parse();
        SectorCipher? cipher = header.TryUnlock(header.Slots[ActiveSlot], KeyMaterial(header), Passphrase);
        Assert.NotNull(cipher);
        return cipher;
    }

    public byte[] DecryptPayload()
    {
        using SectorCipher cipher = Unlock();
        byte[] payload = Bytes[(int)Parse().PayloadOffset..];
        cipher.Decrypt(payload, 0);
        return payload;
    }

    public static ReadOnlySpan<byte> KeyMaterialOf(byte[] file, Luks1KeySlot slot) =>
        file.AsSpan((int)slot.KeyMaterialOffset, slot.KeyMaterialLength);
}
