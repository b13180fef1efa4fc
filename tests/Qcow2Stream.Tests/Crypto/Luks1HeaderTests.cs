using System.Text;
using Qcow2Stream.Crypto;
using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Crypto;

public sealed class Luks1HeaderTests
{
    private static readonly LuksFixture Good = new("aes", 32, "xts-plain64", "sha256");

    private static readonly int Slot1 = LuksFixture.SlotAt(1);
    private static readonly int Slot2 = LuksFixture.SlotAt(LuksFixture.ActiveSlot);

    /// <summary>What is damaged, the damage, and a part of the message.</summary>
    private static readonly (string Name, Func<byte[], byte[]> Damage, string Message)[] BrokenTable =
    [
        ("short", h => h.Truncate(591), "needs 592 bytes; there are 591"),
        ("magic", h => h.WriteU8(5, 0xBF), "magic of LUKS"),
        ("no cipher", h => Text(h, Luks1Layout.CipherName, ""), "cipher name is 0x00"),
        ("cipher not ended", h => Text(h, Luks1Layout.CipherName, new string('a', 32)), "cipher name is 0x6161"),
        ("mode not ended", h => Text(h, Luks1Layout.CipherMode, new string('a', 32)), "cipher mode is 0x6161"),
        ("hash not ended", h => Text(h, Luks1Layout.HashSpec, new string('a', 32)), "hash is 0x6161"),
        ("terminal escape in a name", h => Text(h, Luks1Layout.HashSpec, "\e[2J"), "hash is 0x1b5b324a"),
        ("no IV generator", h => Text(h, Luks1Layout.CipherMode, "xts"), "must name an IV generator"),
        ("essiv without a hash", h => Text(h, Luks1Layout.CipherMode, "cbc-essiv"), "essiv without a hash"),
        ("xts of short blocks", h => Text(h, Luks1Layout.CipherName, "cast5"), "xts needs 16"),
        ("key of no variant", h => h.WriteU32(Luks1Layout.KeyBytes, 40), "key bytes is 40; cipher aes in mode xts takes 32, 48, 64"),
        ("key for xts only", h => Text(h, Luks1Layout.CipherMode, "cbc-plain").WriteU32(Luks1Layout.KeyBytes, 64), "key bytes is 64"),
        ("key of 4 GiB", h => h.WriteU32(Luks1Layout.KeyBytes, uint.MaxValue), "key bytes is 4294967295"),
        ("digest without iterations", h => h.WriteU32(Luks1Layout.MasterKeyIterations, 0), "master key digest are 0"),
        ("slot without iterations", h => h.WriteU32(Slot2 + Luks1Layout.SlotIterations, 0), "iterations of key slot 2 are 0"),
        ("state of a slot", h => h.WriteU32(Slot1 + Luks1Layout.SlotActive, 1), "state of key slot 1 is 0x00000001"),
        ("no stripes", h => h.WriteU32(Slot2 + Luks1Layout.SlotStripes, 0), "stripes of key slot 2 are 0"),
        ("many stripes", h => h.WriteU32(Slot1 + Luks1Layout.SlotStripes, uint.MaxValue), "stripes of key slot 1 are 4294967295"),
        ("key material in the header", h => h.WriteU32(Slot1 + Luks1Layout.SlotKeyMaterialOffset, 1), "offset 512"),
        ("key material beyond the payload", h => h.WriteU32(Slot2 + Luks1Layout.SlotKeyMaterialOffset, uint.MaxValue), "offset 2199023255040"),
        ("key material over the payload", h => h.WriteU32(Luks1Layout.PayloadOffset, 2000), "before byte 1024000"),
        ("no payload", h => h.WriteU32(Luks1Layout.PayloadOffset, 0), "before byte 0"),
        ("overlapping key material", h => h.WriteU32(Slot2 + Luks1Layout.SlotKeyMaterialOffset, 8 + 249), "overlaps that of key slot 0"),
    ];

    private static readonly (string Name, Func<byte[], byte[]> Damage, string Feature)[] UnknownTable =
    [
        ("version 2", h => h.WriteU16(Luks1Layout.Version, 2), "LUKS version 2"),
        ("cipher", h => Text(h, Luks1Layout.CipherName, "blowfish"), "cipher blowfish"),
        ("mode", h => Text(h, Luks1Layout.CipherMode, "lrw-plain"), "cipher mode lrw"),
        ("IV generator", h => Text(h, Luks1Layout.CipherMode, "cbc-benbi"), "IV generator benbi"),
        ("hash", h => Text(h, Luks1Layout.HashSpec, "whirlpool"), "hash whirlpool"),
        ("IV generator's hash", h => Text(h, Luks1Layout.CipherMode, "xts-plain:crc32"), "hash crc32"),
        ("essiv with keys of no variant", h => Text(h, Luks1Layout.CipherMode, "xts-essiv:sha1"), "essiv:sha1 with cipher aes"),
        ("essiv with cast5, whose keys have 16 bytes", h => Text(Text(h, Luks1Layout.CipherName, "cast5"), Luks1Layout.CipherMode, "cbc-essiv:sha256").WriteU32(Luks1Layout.KeyBytes, 16), "essiv:sha256 with cipher cast5"),
    ];

    public static TheoryData<string> Broken => [.. BrokenTable.Select(row => row.Name)];

    public static TheoryData<string> Unknown => [.. UnknownTable.Select(row => row.Name)];

    [Fact]
    public void GoodHeader_SaysWhatItHolds()
    {
        Luks1Header header = Good.Parse();

        Assert.Equal("aes-128", header.Cipher.CipherName);
        Assert.Equal("xts", header.Cipher.ModeName);
        Assert.Equal("plain64", header.Cipher.IvName);
        Assert.Null(header.Cipher.EssivHash);
        Assert.Equal("sha256", header.Hash.Name);
        Assert.Equal(LuksFixture.Uuid, header.Uuid);
        Assert.Equal(4096 + (8 * 131072), header.PayloadOffset);
        Assert.Equal((uint)LuksFixture.DigestIterations, header.MasterKeyIterations);
        Luks1KeySlot slot = header.Slots.Single(slot => slot.Active);
        Assert.Equal(LuksFixture.ActiveSlot, slot.Index);
        Assert.Equal((uint)LuksFixture.SlotIterations, slot.Iterations);
        Assert.Equal(4000, slot.Stripes);
        Assert.Equal(4096 + (2 * 131072), slot.KeyMaterialOffset);
        Assert.Equal(128000, slot.KeyMaterialLength);
    }

    [Fact]
    public void EcbWithoutIvGenerator_IsTaken()
    {
        Luks1Header header = Parse(Text(Header(), Luks1Layout.CipherMode, "ecb"));
        Assert.Equal(IvKind.None, header.Cipher.Iv);
        Assert.Null(header.Cipher.IvName);
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void BrokenHeader_IsRefused(string name)
    {
        (_, Func<byte[], byte[]> damage, string message) = BrokenTable.Single(row => row.Name == name);
        Assert.Contains(message, Assert.Throws<CryptoFormatException>(() => Parse(damage(Header()))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Unknown))]
    public void UnknownAlgorithm_IsNamed(string name)
    {
        (_, Func<byte[], byte[]> damage, string feature) = UnknownTable.Single(row => row.Name == name);
        CryptoUnsupportedException exception = Assert.Throws<CryptoUnsupportedException>(() => Parse(damage(Header())));
        Assert.Equal(feature, exception.Feature);
        Assert.Contains(feature.Split(' ')[^1], exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void KeyMaterialBeyondTheAvailableBytes_IsRefused()
    {
        Luks1KeySlot last = Good.Parse().Slots[7];
        long end = last.KeyMaterialOffset + last.KeyMaterialLength;
        Luks1Header.Parse(Good.Bytes, end);
        Assert.Throws<CryptoFormatException>(() => Luks1Header.Parse(Good.Bytes, end - 1));
    }

    [Fact]
    public void AnyByteChanged_NothingElseEscapes()
    {
        for (int i = 0; i < Luks1Header.Length * 8; i++)
        {
            byte[] header = Header();
            header[i / 8] ^= (byte)(1 << (i % 8));
            try
            {
                Parse(header);
            }
            catch (Exception exception) when (exception is CryptoFormatException or CryptoUnsupportedException)
            {
                Assert.All(exception.Message, character => Assert.InRange(character, ' ', '~'));
            }
        }
    }

    [Fact]
    public void WrongPassphrase_OpensNothing()
    {
        Luks1Header header = Good.Parse();
        Assert.Null(header.TryUnlock(header.Slots[LuksFixture.ActiveSlot], Good.KeyMaterial(header), "wrong"u8));
        Assert.Null(header.TryUnlock(header.Slots[LuksFixture.ActiveSlot], Good.KeyMaterial(header), []));
    }

    [Fact]
    public void InactiveSlot_OpensNothing()
    {
        Luks1Header header = Good.Parse();
        Assert.Null(header.TryUnlock(header.Slots[0], LuksFixture.KeyMaterialOf(Good.Bytes, header.Slots[0]), LuksFixture.Passphrase));
    }

    [Fact]
    public void KeyMaterialOfAnotherLength_IsRefused()
    {
        Luks1Header header = Good.Parse();
        Assert.Throws<ArgumentException>(() => header.TryUnlock(header.Slots[LuksFixture.ActiveSlot], new byte[512], LuksFixture.Passphrase));
    }

    /// <summary>The slot's rounds count for each block of its key of 64 bytes, the digest's once, and both for each active slot.</summary>
    [Fact]
    public void RoundsToTryAll_CountsKeyBlocks()
    {
        Luks1Header header = Parse(Header()
            .WriteU32(Slot2 + Luks1Layout.SlotIterations, uint.MaxValue)
            .WriteU32(Luks1Layout.MasterKeyIterations, 1000));
        long blocks = (header.Cipher.TotalKeyLength + header.Hash.DigestLength - 1) / header.Hash.DigestLength;
        Assert.Equal((blocks * uint.MaxValue) + 1000, header.RoundsToTryAll);
    }

    [Fact]
    public void Cancelled_Throws()
    {
        Luks1Header header = Good.Parse();
        Assert.Throws<OperationCanceledException>(() => header.TryUnlock(
            header.Slots[LuksFixture.ActiveSlot], Good.KeyMaterial(header), LuksFixture.Passphrase, cancellationToken: new CancellationToken(true)));
    }

    /// <summary>4000 stripes of 24 bytes end within a sector. QEMU cannot; cryptsetup encrypts that sector to its end.</summary>
    [Fact]
    public void KeyMaterialOf192Bits_EndsWithItsSector()
    {
        LuksFixture luks = new("aes", 24, "cbc-plain64", "sha256");
        Luks1Header header = luks.Parse();
        Assert.Equal(188 * 512, header.Slots[LuksFixture.ActiveSlot].KeyMaterialLength);
        luks.Unlock().Dispose();
    }

    private static byte[] Header() => Good.Bytes[..Luks1Header.Length];

    private static Luks1Header Parse(byte[] header) => Luks1Header.Parse(header, Good.Bytes.Length);

    private static byte[] Text(byte[] header, int offset, string text)
    {
        header.AsSpan(offset, Luks1Layout.NameLength).Clear();
        return header.WriteBytes(offset, Encoding.ASCII.GetBytes(text));
    }
}
