using System.Text;
using Qcow2Stream.Crypto;
using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Fuzz.Harnesses;

namespace Qcow2Stream.Fuzz.Seeding;

/// <summary>
/// LUKS headers, and the image that they go into. Key material and guest data are random bytes: every key material yields
/// some master key, and the seeds' headers hold the digest of that one.
/// </summary>
internal static class LuksSeeds
{
    public const int DiskSize = 8 * ClusterSize;

    private const int ClusterSize = 512;
    private const int Stripes = 4000;
    private const int Alignment = 4096;
    private const int SlotIterations = 11;
    private const int DigestIterations = 7;
    private const uint SlotEnabled = 0x00AC71F3;
    private const uint SlotDisabled = 0x0000DEAD;

    // Eight slots of the longest keys.
    private const int MostLuks = Alignment + (Luks1Layout.SlotCount * (((64 * Stripes) + Alignment - 1) / Alignment * Alignment));

    private static readonly (string Cipher, int KeyBytes, string Mode, string Hash)[] Algorithms =
    [
        ("aes", 16, "cbc-essiv:sha256", "sha1"),
        ("aes", 32, "xts-plain64", "sha256"),
        ("aes", 64, "xts-plain64", "sha512"),
        ("aes", 24, "cbc-plain", "ripemd160"),
        ("serpent", 16, "ecb", "md5"),
        ("twofish", 32, "ctr-plain64", "sha224"),
        ("twofish", 32, "xts-essiv:md5", "sha384"),
        ("cast5", 16, "cbc-plain64", "sha256"),
    ];

    static LuksSeeds()
    {
        byte[] location = new byte[16];
        Qcow2Builder description = new()
        {
            ClusterBits = 9,
            Size = DiskSize,
            CryptMethod = 2,
            Extensions = [new HeaderExtension(HeaderExtension.FullDiskEncryption, location)],
            Clusters = [GuestClusters.Data(0, 0x10, count: 3), GuestClusters.Zero(4), GuestClusters.Data(6, 0x60)],
        };
        HeaderOffset = (description.Build().ToBytes().Length + ClusterSize - 1) / ClusterSize * ClusterSize;
        location.WriteU64(0, (ulong)HeaderOffset).WriteU64(8, MostLuks);
        byte[] image = description.Build().ToBytes();
        Array.Resize(ref image, HeaderOffset + MostLuks);
        new Random(1).NextBytes(image.AsSpan(HeaderOffset + Alignment));
        Template = image;
    }

    /// <summary>A good image but for the LUKS header.</summary>
    public static byte[] Template { get; }

    /// <summary>Where the header goes.</summary>
    public static int HeaderOffset { get; }

    public static IEnumerable<KeyValuePair<string, byte[]>> All =>
        Algorithms.Select((a, i) => KeyValuePair.Create($"{i}-{a.Cipher}-{a.KeyBytes}-{a.Mode.Replace(':', '-')}-{a.Hash}", Header(a)));

    private static byte[] Header((string Cipher, int KeyBytes, string Mode, string Hash) algorithm)
    {
        int slotSpace = ((algorithm.KeyBytes * Stripes) + Alignment - 1) / Alignment * Alignment;
        byte[] header = new byte[Luks1Layout.Length];
        header.WriteBytes(Luks1Layout.Magic, [0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE, 0x00, 0x01])
            .WriteBytes(Luks1Layout.CipherName, Encoding.ASCII.GetBytes(algorithm.Cipher))
            .WriteBytes(Luks1Layout.CipherMode, Encoding.ASCII.GetBytes(algorithm.Mode))
            .WriteBytes(Luks1Layout.HashSpec, Encoding.ASCII.GetBytes(algorithm.Hash))
            .WriteU32(Luks1Layout.PayloadOffset, (uint)(Alignment + (Luks1Layout.SlotCount * slotSpace)) / 512)
            .WriteU32(Luks1Layout.KeyBytes, (uint)algorithm.KeyBytes)
            .WriteU32(Luks1Layout.MasterKeyIterations, DigestIterations)
            .WriteBytes(Luks1Layout.Uuid, "00112233-4455-6677-8899-aabbccddeeff"u8);
        for (int i = 0; i < Luks1Layout.SlotCount; i++)
        {
            int slot = Luks1Layout.KeySlots + (i * Luks1Layout.SlotLength);
            header.WriteU32(slot + Luks1Layout.SlotActive, i == 1 ? SlotEnabled : SlotDisabled)
                .WriteU32(slot + Luks1Layout.SlotIterations, i == 1 ? SlotIterations : 0u)
                .WriteU32(slot + Luks1Layout.SlotKeyMaterialOffset, (uint)(Alignment + (i * slotSpace)) / 512)
                .WriteU32(slot + Luks1Layout.SlotStripes, Stripes);
        }

        Luks1Header parsed = Luks1Header.Parse(header, MostLuks);
        Luks1KeySlot active = parsed.Slots[1];
        ReadOnlySpan<byte> material = Template.AsSpan(HeaderOffset + (int)active.KeyMaterialOffset, active.KeyMaterialLength);
        using Secret masterKey = parsed.RecoverMasterKey(active, material, Encoding.UTF8.GetBytes(FuzzOptions.Passphrase));
        return header.WriteBytes(Luks1Layout.MasterKeyDigest, parsed.DigestOf(masterKey));
    }
}
