using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.Crypto;

/// <summary>Reads LUKS1 headers and refuses what QEMU's crypto/block-luks.c refuses.</summary>
internal static class LuksHeaderParser
{
    private const int SectorLength = SectorDecryptor.SectorLength;
    private const uint SlotEnabled = 0x00AC71F3;
    private const uint SlotDisabled = 0x0000DEAD;

    /// <summary>What cryptsetup and QEMU write, and QEMU demands; it bounds the key material at 64 × 4000 bytes.</summary>
    private const int Stripes = 4000;

    private static ReadOnlySpan<byte> Magic => [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE];

    /// <inheritdoc cref="LuksHeader.Parse"/>
    public static LuksHeader Parse(ReadOnlySpan<byte> header, long availableLength)
    {
        if (header.Length < LuksLayout.Length || availableLength < LuksLayout.Length)
        {
            throw new CryptoFormatException(
                $"the LUKS header needs {LuksLayout.Length} bytes; there are {Math.Min(header.Length, availableLength)}");
        }

        if (!header.StartsWith(Magic))
        {
            throw new CryptoFormatException("the LUKS header does not start with the magic of LUKS, \"LUKS\\xba\\xbe\"");
        }

        ushort version = BinaryPrimitives.ReadUInt16BigEndian(header[LuksLayout.Version..]);
        if (version != 1)
        {
            throw new CryptoUnsupportedException($"LUKS version {version}", $"LUKS version {version} is not known; 1 is");
        }

        var cipher = CipherSpec.Parse(
            Name(header, LuksLayout.CipherName, "cipher name"),
            Name(header, LuksLayout.CipherMode, "cipher mode"),
            U32(header, LuksLayout.KeyBytes));
        var hash = KeyHash.Find(Name(header, LuksLayout.HashSpec, "hash"));

        uint iterations = U32(header, LuksLayout.MasterKeyIterations);
        if (iterations == 0)
        {
            throw new CryptoFormatException("the iterations of the master key digest are 0; they must be at least 1");
        }

        long payloadOffset = (long)U32(header, LuksLayout.PayloadOffset) * SectorLength;
        LuksKeySlot[] slots = ReadSlots(header, cipher, Math.Min(availableLength, payloadOffset));
        return new LuksHeader
        {
            Cipher = cipher,
            Hash = hash,
            PayloadOffset = payloadOffset,
            MasterKeyDigest = header.Slice(LuksLayout.MasterKeyDigest, LuksLayout.DigestLength).ToArray(),
            MasterKeySalt = header.Slice(LuksLayout.MasterKeySalt, LuksLayout.SaltLength).ToArray(),
            MasterKeyIterations = iterations,
            Uuid = ReadUuid(header),
            Slots = slots,
        };
    }

    private static LuksKeySlot[] ReadSlots(ReadOnlySpan<byte> header, CipherSpec cipher, long availableLength)
    {
        var slots = new LuksKeySlot[LuksLayout.SlotCount];
        for (int i = 0; i < slots.Length; i++)
        {
            ReadOnlySpan<byte> slot = header.Slice(LuksLayout.KeySlots + (i * LuksLayout.SlotLength), LuksLayout.SlotLength);
            slots[i] = ReadSlot(slot, i, cipher, availableLength);
            CheckOverlap(slots.AsSpan(0, i), slots[i]);
        }

        return slots;
    }

    private static LuksKeySlot ReadSlot(ReadOnlySpan<byte> slot, int index, CipherSpec cipher, long availableLength)
    {
        uint state = U32(slot, LuksLayout.SlotActive);
        if (state is not (SlotEnabled or SlotDisabled))
        {
            throw new CryptoFormatException(
                $"the state of key slot {index} is 0x{state:x8}; it must be 0x{SlotEnabled:x8} (active) or 0x{SlotDisabled:x8}");
        }

        bool active = state == SlotEnabled;
        uint iterations = U32(slot, LuksLayout.SlotIterations);
        if (active && iterations == 0)
        {
            throw new CryptoFormatException($"the iterations of key slot {index} are 0; they must be at least 1");
        }

        uint stripes = U32(slot, LuksLayout.SlotStripes);
        if (stripes != Stripes)
        {
            throw new CryptoFormatException($"the stripes of key slot {index} are {stripes}; they must be {Stripes}");
        }

        // Whole sectors are encrypted; the stripes of a key of 24 bytes end in the middle of one.
        int length = RoundUpToSector(cipher.TotalKeyLength * Stripes);
        long offset = (long)U32(slot, LuksLayout.SlotKeyMaterialOffset) * SectorLength;
        if (offset < LuksLayout.Length || offset > availableLength - length)
        {
            throw new CryptoFormatException(
                $"the key material of key slot {index} (offset {offset}, {length} bytes) does not lie between the header of {LuksLayout.Length} bytes and the payload, before byte {availableLength}");
        }

        return new LuksKeySlot(
            index,
            active,
            iterations,
            slot.Slice(LuksLayout.SlotSalt, LuksLayout.SaltLength).ToArray(),
            offset,
            length,
            Stripes);
    }

    private static void CheckOverlap(ReadOnlySpan<LuksKeySlot> earlier, LuksKeySlot slot)
    {
        foreach (LuksKeySlot other in earlier)
        {
            if (Math.Abs(slot.KeyMaterialOffset - other.KeyMaterialOffset) < slot.KeyMaterialLength)
            {
                throw new CryptoFormatException(
                    $"the key material of key slot {slot.Index} (offset {slot.KeyMaterialOffset}) overlaps that of key slot {other.Index} (offset {other.KeyMaterialOffset}); each has {slot.KeyMaterialLength} bytes");
            }
        }
    }

    /// <summary>A name. Nothing but printable ASCII passes, so that messages can repeat it.</summary>
    private static string Name(ReadOnlySpan<byte> header, int offset, string field)
    {
        ReadOnlySpan<byte> bytes = header.Slice(offset, LuksLayout.NameLength);
        int length = bytes.IndexOf((byte)0);
        return length > 0 && !bytes[..length].ContainsAnyExceptInRange((byte)'!', (byte)'~')
            ? Encoding.ASCII.GetString(bytes[..length])
            : throw new CryptoFormatException(
                $"the {field} is 0x{Convert.ToHexStringLower(bytes)}; it must be printable ASCII that ends with a zero byte");
    }

    private static string ReadUuid(ReadOnlySpan<byte> header)
    {
        ReadOnlySpan<byte> bytes = header.Slice(LuksLayout.Uuid, LuksLayout.UuidLength);
        int end = bytes.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private static int RoundUpToSector(int length) => (length + SectorLength - 1) / SectorLength * SectorLength;

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
}
