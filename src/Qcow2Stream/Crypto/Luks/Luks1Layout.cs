namespace Qcow2Stream.Crypto.Luks;

/// <summary>
/// Where each field of a LUKS1 header starts, in bytes; every position is the one before plus its length
/// (LUKS On-Disk Format Specification 1.2.3, figures 1 and 2). All integers are big-endian.
/// </summary>
internal static class Luks1Layout
{
    public const int Magic = 0;
    public const int Version = Magic + 6;
    public const int CipherName = Version + sizeof(ushort);
    public const int CipherMode = CipherName + NameLength;
    public const int HashSpec = CipherMode + NameLength;
    public const int PayloadOffset = HashSpec + NameLength;
    public const int KeyBytes = PayloadOffset + sizeof(uint);
    public const int MasterKeyDigest = KeyBytes + sizeof(uint);
    public const int MasterKeySalt = MasterKeyDigest + DigestLength;
    public const int MasterKeyIterations = MasterKeySalt + SaltLength;
    public const int Uuid = MasterKeyIterations + sizeof(uint);
    public const int KeySlots = Uuid + UuidLength;

    /// <summary>The length of the whole header, in bytes.</summary>
    public const int Length = KeySlots + (SlotCount * SlotLength);

    public const int SlotActive = 0;
    public const int SlotIterations = SlotActive + sizeof(uint);
    public const int SlotSalt = SlotIterations + sizeof(uint);
    public const int SlotKeyMaterialOffset = SlotSalt + SaltLength;
    public const int SlotStripes = SlotKeyMaterialOffset + sizeof(uint);

    /// <summary>The length of one key slot, in bytes.</summary>
    public const int SlotLength = SlotStripes + sizeof(uint);

    public const int SlotCount = 8;
    public const int NameLength = 32;
    public const int DigestLength = 20;
    public const int SaltLength = 32;
    public const int UuidLength = 40;
}
