using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.Crypto.Luks;

/// <summary>Reads LUKS1 headers and refuses what QEMU's crypto/block-luks.c refuses.</summary>
internal static class Luks1HeaderParser
{
    private const int SectorLength = SectorDecryptor.Unit;
    private const uint SlotEnabled = 0x00AC71F3;
    private const uint SlotDisabled = 0x0000DEAD;

    private static ReadOnlySpan<byte> Magic => [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE];

    /// <inheritdoc cref="Luks1Header.Parse"/>
    public static Luks1Header Parse(ReadOnlySpan<byte> header, long availableLength)
    {
        if (header.Length < Luks1Layout.Length || availableLength < Luks1Layout.Length)
        {
            throw new CryptoFormatException(
                $"the LUKS header needs {Luks1Layout.Length} bytes; there are {Math.Min(header.Length, availableLength)}");
        }

        if (!header.StartsWith(Magic))
        {
            throw new CryptoFormatException("the LUKS header does not start with the magic of LUKS, \"LUKS\\xba\\xbe\"");
        }

        ushort version = BinaryPrimitives.ReadUInt16BigEndian(header[Luks1Layout.Version..]);
        if (version != 1)
        {
            throw new CryptoUnsupportedException($"LUKS version {version}", $"LUKS version {version} is not known; 1 is");
        }

        var cipher = CipherSpec.Parse(
            Name(header, Luks1Layout.CipherName, "cipher name"),
            Name(header, Luks1Layout.CipherMode, "cipher mode"),
            U32(header, Luks1Layout.KeyBytes));
        var hash = KeyHash.Find(Name(header, Luks1Layout.HashSpec, "hash"));

        uint iterations = U32(header, Luks1Layout.MasterKeyIterations);
        if (iterations == 0)
        {
            throw new CryptoFormatException("the iterations of the master key digest are 0; they must be at least 1");
        }

        long payloadOffset = (long)U32(header, Luks1Layout.PayloadOffset) * SectorLength;
        Luks1KeySlot[] slots = ReadSlots(header, cipher, Math.Min(availableLength, payloadOffset));
        return new Luks1Header
        {
            Cipher = cipher,
            Hash = hash,
            PayloadOffset = payloadOffset,
            MasterKeyDigest = header.Slice(Luks1Layout.MasterKeyDigest, Luks1Layout.DigestLength).ToArray(),
            MasterKeySalt = header.Slice(Luks1Layout.MasterKeySalt, Luks1Layout.SaltLength).ToArray(),
            MasterKeyIterations = iterations,
            Uuid = ReadUuid(header),
            Slots = slots,
        };
    }

    private static Luks1KeySlot[] ReadSlots(ReadOnlySpan<byte> header, CipherSpec cipher, long availableLength)
    {
        var slots = new Luks1KeySlot[Luks1Layout.SlotCount];
        for (int i = 0; i < slots.Length; i++)
        {
            ReadOnlySpan<byte> slot = header.Slice(Luks1Layout.KeySlots + (i * Luks1Layout.SlotLength), Luks1Layout.SlotLength);
            slots[i] = ReadSlot(slot, i, cipher, availableLength);
            CheckOverlap(slots.AsSpan(0, i), slots[i]);
        }

        return slots;
    }

    private static Luks1KeySlot ReadSlot(ReadOnlySpan<byte> slot, int index, CipherSpec cipher, long availableLength)
    {
        uint state = U32(slot, Luks1Layout.SlotActive);
        if (state is not (SlotEnabled or SlotDisabled))
        {
            throw new CryptoFormatException(
                $"the state of key slot {index} is 0x{state:x8}; it must be 0x{SlotEnabled:x8} (active) or 0x{SlotDisabled:x8}");
        }

        bool active = state == SlotEnabled;
        uint iterations = U32(slot, Luks1Layout.SlotIterations);
        if (active && iterations == 0)
        {
            throw new CryptoFormatException($"the iterations of key slot {index} are 0; they must be at least 1");
        }

        uint stripes = U32(slot, Luks1Layout.SlotStripes);
        if (stripes != AntiForensic.Stripes)
        {
            throw new CryptoFormatException($"the stripes of key slot {index} are {stripes}; they must be {AntiForensic.Stripes}");
        }

        int length = AntiForensic.MaterialLength(cipher.TotalKeyLength);
        long offset = (long)U32(slot, Luks1Layout.SlotKeyMaterialOffset) * SectorLength;
        if (offset < Luks1Layout.Length || offset > availableLength - length)
        {
            throw new CryptoFormatException(
                $"the key material of key slot {index} (offset {offset}, {length} bytes) does not lie between the header of {Luks1Layout.Length} bytes and the payload, before byte {availableLength}");
        }

        return new Luks1KeySlot(
            index,
            active,
            iterations,
            slot.Slice(Luks1Layout.SlotSalt, Luks1Layout.SaltLength).ToArray(),
            offset,
            length,
            AntiForensic.Stripes);
    }

    private static void CheckOverlap(ReadOnlySpan<Luks1KeySlot> earlier, Luks1KeySlot slot)
    {
        foreach (Luks1KeySlot other in earlier)
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
        ReadOnlySpan<byte> bytes = header.Slice(offset, Luks1Layout.NameLength);
        int length = bytes.IndexOf((byte)0);
        return length > 0 && !bytes[..length].ContainsAnyExceptInRange((byte)'!', (byte)'~')
            ? Encoding.ASCII.GetString(bytes[..length])
            : throw new CryptoFormatException(
                $"the {field} is 0x{Convert.ToHexStringLower(bytes)}; it must be printable ASCII that ends with a zero byte");
    }

    private static string ReadUuid(ReadOnlySpan<byte> header)
    {
        ReadOnlySpan<byte> bytes = header.Slice(Luks1Layout.Uuid, Luks1Layout.UuidLength);
        int end = bytes.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
}
