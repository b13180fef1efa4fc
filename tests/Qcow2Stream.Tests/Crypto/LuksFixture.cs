using System.Text;
using Qcow2Stream.Crypto;
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
        int payloadOffset = Alignment + (LuksLayout.SlotCount * slotSpace);
        Random random = new(keyBytes);

        Bytes = new byte[payloadOffset + PayloadLength];
        Bytes.WriteBytes(LuksLayout.Magic, [0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE, 0x00, 0x01])
            .WriteBytes(LuksLayout.CipherName, Encoding.ASCII.GetBytes(cipher))
            .WriteBytes(LuksLayout.CipherMode, Encoding.ASCII.GetBytes(mode))
            .WriteBytes(LuksLayout.HashSpec, Encoding.ASCII.GetBytes(hash))
            .WriteU32(LuksLayout.PayloadOffset, (uint)payloadOffset / 512)
            .WriteU32(LuksLayout.KeyBytes, (uint)keyBytes)
            .WriteU32(LuksLayout.MasterKeyIterations, DigestIterations)
            .WriteBytes(LuksLayout.Uuid, Encoding.ASCII.GetBytes(Uuid));
        random.NextBytes(Bytes.AsSpan(LuksLayout.MasterKeySalt, LuksLayout.SaltLength));
        for (int i = 0; i < LuksLayout.SlotCount; i++)
        {
            int slot = SlotAt(i);
            int keyMaterial = Alignment + (i * slotSpace);
            Bytes.WriteU32(slot + LuksLayout.SlotActive, i == ActiveSlot ? 0x00AC71F3u : 0x0000DEADu)
                .WriteU32(slot + LuksLayout.SlotKeyMaterialOffset, (uint)keyMaterial / 512)
                .WriteU32(slot + LuksLayout.SlotStripes, Stripes);
            if (i == ActiveSlot)
            {
                Bytes.WriteU32(slot + LuksLayout.SlotIterations, SlotIterations);
                random.NextBytes(Bytes.AsSpan(slot + LuksLayout.SlotSalt, LuksLayout.SaltLength));
                random.NextBytes(Bytes.AsSpan(keyMaterial, keyBytes * Stripes));
            }
        }

        random.NextBytes(Bytes.AsSpan(payloadOffset));

        LuksHeader header = Parse();
        using Secret masterKey = header.RecoverMasterKey(header.Slots[ActiveSlot], KeyMaterial(header), Passphrase);
        Bytes.WriteBytes(LuksLayout.MasterKeyDigest, header.DigestOf(masterKey));
    }

    public static byte[] Passphrase { get; } = "pässword"u8.ToArray();

    /// <summary>The whole file.</summary>
    public byte[] Bytes { get; }

    public static int SlotAt(int index) => LuksLayout.KeySlots + (index * LuksLayout.SlotLength);

    public LuksHeader Parse() => LuksHeader.Parse(Bytes, Bytes.Length);

    public ReadOnlySpan<byte> KeyMaterial(LuksHeader header) => KeyMaterialOf(Bytes, header.Slots[ActiveSlot]);

    public SectorCipher Unlock()
    {
        LuksHeader header = Parse();
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

    public static ReadOnlySpan<byte> KeyMaterialOf(byte[] file, LuksKeySlot slot) =>
        file.AsSpan((int)slot.KeyMaterialOffset, slot.KeyMaterialLength);
}
