using System.Text;
using Qcow2Stream.Crypto.Luks;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>LUKS2 headers that a stranger has written, checksums and all.</summary>
public sealed class Luks2DamageTests
{
    private static readonly byte[] Good = LuksImages.Read("luks2-slots");

    private static readonly (string Name, string Old, string New, string Message)[] BrokenTable =
    [
        ("Argon2's lanes 0", "\"cpus\":1", "\"cpus\":0", "keyslots.0.kdf.cpus is 0"),
        ("more lanes than memory", "\"cpus\":1", "\"cpus\":16777215", "keyslots.0.kdf.memory is 32"),
        ("lanes past the limit", "\"cpus\":1", "\"cpus\":16777216", "from 1 to 16777215"),
        ("negative time", "\"time\":4", "\"time\":-1", "time is -1"),
        ("no time", "\"time\":4", "\"time\":0", "at least 1"),
        ("time past 32 bits", "\"time\":4", "\"time\":4294967296", "time is 4294967296"),
        ("time as a fraction", "\"time\":4", "\"time\":4.5", "time is 4.5"),
        ("time with an exponent", "\"time\":4", "\"time\":4e0", "time is 4e0"),
        ("time as a string", "\"time\":4", "\"time\":\"4\"", "a whole number"),
        ("memory past 32 bits", "\"memory\":32", "\"memory\":99999999999999999999", "memory is"),
        ("stripes", "\"stripes\":4000", "\"stripes\":4294967295", "it must be 4000"),
        ("key size 0", "\"0\":{\"type\":\"luks2\",\"key_size\":16", "\"0\":{\"type\":\"luks2\",\"key_size\":0", "from 1 to 512"),
        ("key size, absurd", "\"0\":{\"type\":\"luks2\",\"key_size\":16", "\"0\":{\"type\":\"luks2\",\"key_size\":4294967295", "from 1 to 512"),
        ("key size of one slot only", "\"0\":{\"type\":\"luks2\",\"key_size\":16", "\"0\":{\"type\":\"luks2\",\"key_size\":8", "they hold the same key"),
        ("priority", "\"priority\":2", "\"priority\":3", "from 0 to 2"),
        ("area over the headers", "\"offset\":\"32768\"", "\"offset\":\"32767\"", "lie between the headers"),
        ("area, a sign before its number", "\"offset\":\"32768\"", "\"offset\":\"+32768\"", "a string of digits"),
        ("area, a space before its number", "\"offset\":\"32768\"", "\"offset\":\" 32768\"", "a string of digits"),
        ("area, a minus", "\"offset\":\"32768\"", "\"offset\":\"-1\"", "a string of digits"),
        ("area past 64 bits", "\"offset\":\"32768\"", "\"offset\":\"18446744073709551616\"", "a string of digits"),
        ("area at the end of 64 bits", "\"offset\":\"32768\"", "\"offset\":\"18446744073709551615\"", "lie between the headers"),
        ("area as a number", "\"offset\":\"32768\"", "\"offset\":32768", "must be a string"),
        ("area over the data", "\"offset\":\"32768\"", "\"offset\":\"16777000\"", "lie between the headers"),
        ("data offset past the file", "\"offset\":\"16777216\"", "\"offset\":\"9223372036854775808\"", "segments.0.offset"),
        ("data offset unaligned", "\"offset\":\"16777216\"", "\"offset\":\"16777217\"", "a multiple of 512"),
        ("data offset in the headers", "\"offset\":\"16777216\"", "\"offset\":\"512\"", "segments.0.offset"),
        ("data size 0", "\"size\":\"dynamic\"", "\"size\":\"0\"", "segments.0.size"),
        ("data size, absurd", "\"size\":\"dynamic\"", "\"size\":\"18446744073709551104\"", "segments.0.size"),
        ("data size past the file", "\"size\":\"dynamic\"", "\"size\":\"9223372036854775296\"", "and the file ends at"),
        ("data size, one sector too much", "\"size\":\"dynamic\"", "\"size\":\"41472\"", "and the file ends at"),
        ("data size unaligned", "\"size\":\"dynamic\"", "\"size\":\"40961\"", "a multiple of 512"),
        ("sector size", "\"sector_size\":512", "\"sector_size\":8192", "512, 1024, 2048 or 4096"),
        ("sector size 0", "\"sector_size\":512", "\"sector_size\":0", "512, 1024, 2048 or 4096"),
        ("tweak", "\"iv_tweak\":\"0\"", "\"iv_tweak\":\"18446744073709551615\"", "iv_tweak"),
        ("tweak within a sector",
            "\"iv_tweak\":\"0\",\"encryption\":\"aes-cbc-essiv:sha256\",\"sector_size\":512",
            "\"iv_tweak\":\"1\",\"encryption\":\"aes-cbc-essiv:sha256\",\"sector_size\":1024",
            "iv_tweak"),
        ("cipher's key", "\"encryption\":\"aes-cbc-essiv:sha256\",\"sector_size\"", "\"encryption\":\"aes-xts-plain64\",\"sector_size\"", "key bytes is 16"),
        ("segment's name", "\"segments\":{\"0\"", "\"segments\":{\"-1\"", "names must be numbers"),
        ("segment's name with a zero", "\"segments\":{\"0\"", "\"segments\":{\"00\"", "names must be numbers"),
        ("no digest for the segment", "\"segments\":[\"0\"]", "\"segments\":[\"1\"]", "no digest covers segment 0"),
        ("a digest's key slot that isn't there", "\"keyslots\":[\"0\"", "\"keyslots\":[\"9\"", "names a key slot"),
        ("JSON's size", "\"json_size\":\"12288\"", "\"json_size\":\"12289\"", "json_size"),
        ("a name twice", "\"json_size\":\"12288\"", "\"json_size\":\"12288\",\"json_size\":\"12288\"", "not JSON"),
        ("half a surrogate pair", "\"type\":\"crypt\"", "\"type\":\"\\ud800\"", "half a character"),
        ("half a surrogate pair in a name", "\"tokens\":{", "\"tok\\ud800ens\":{", ""),
        ("salt", "\"salt\":\"", "\"salt\":\"AAAA", "bytes in base64"),
        ("deep", "\"tokens\":{}", $"\"tokens\":{new string('[', 2000)}{new string(']', 2000)}", "not JSON"),
        ("an array", "\"tokens\":{},", "\"config\":[],\"x\":", ""),
    ];

    private static readonly (string Name, string Old, string New, string Feature)[] UnknownTable =
    [
        ("requirement", "\"config\":{", "\"config\":{\"requirements\":{\"mandatory\":[\"online-reencrypt-v2\"]},", "LUKS2 requirement online-reencrypt-v2"),
        ("segments", "\"segments\":{\"0\"", "\"segments\":{\"1\":{},\"0\"", "LUKS2 reencryption"),
        ("segment type", "\"type\":\"crypt\"", "\"type\":\"linear\"", "LUKS2 segment type linear"),
        ("integrity", "\"type\":\"crypt\"", "\"type\":\"crypt\",\"integrity\":{\"type\":\"hmac(sha256)\"}", "integrity hmac(sha256)"),
        ("detached", "\"offset\":\"16777216\"", "\"offset\":\"0\"", "detached LUKS header"),
        ("no cipher", "\"encryption\":\"aes-cbc-essiv:sha256\",\"sector_size\"", "\"encryption\":\"cipher_null-ecb\",\"sector_size\"", "cipher cipher_null"),
        ("capi", "\"encryption\":\"aes-cbc-essiv:sha256\",\"sector_size\"", "\"encryption\":\"capi:xts(aes)-plain64\",\"sector_size\"", "cipher capi:xts(aes)"),
        ("adiantum",
            "\"encryption\":\"aes-cbc-essiv:sha256\",\"sector_size\"",
            "\"encryption\":\"xchacha20,aes-adiantum-plain64\",\"sector_size\"",
            "cipher xchacha20,aes"),
        ("vectors",
            "\"encryption\":\"aes-cbc-essiv:sha256\",\"sector_size\"",
            "\"encryption\":\"aes-cbc-plain64be\",\"sector_size\"",
            "IV generator plain64be"),
        ("digest", "\"digests\":{\"0\":{\"type\":\"pbkdf2\"", "\"digests\":{\"0\":{\"type\":\"sha3\"", "LUKS2 digest sha3"),
        ("memory", "\"memory\":32", "\"memory\":4294967295", "memory-hard passphrase"),
        ("time", "\"time\":4", "\"time\":4294967295", "slow passphrase"),
        ("iterations", "\"iterations\":1000,\"salt\"", "\"iterations\":4294967295,\"salt\"", "slow passphrase"),
    ];

    public static TheoryData<string> Broken => [.. BrokenTable.Select(row => row.Name)];

    public static TheoryData<string> Unknown => [.. UnknownTable.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Broken))]
    public void BrokenMetadata_AreRefused(string name)
    {
        (_, string old, string replacement, string message) = BrokenTable.Single(row => row.Name == name);
        Qcow2FormatException exception = Assert.Throws<Qcow2FormatException>(() => LuksImages.Open(Changed(old, replacement), null));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Unknown))]
    public void WhatIsNotHandled_IsNamed(string name)
    {
        (_, string old, string replacement, string feature) = UnknownTable.Single(row => row.Name == name);
        Assert.Equal(feature, Assert.Throws<Qcow2UnsupportedException>(() => LuksImages.Open(Changed(old, replacement), null)).Feature);
    }

    /// <summary>One slot that isn't handled takes nothing from the others.</summary>
    [Fact]
    public void SlotOfAnotherKind_IsLeftOut()
    {
        byte[] file = Changed("\"type\":\"argon2i\"", "\"type\":\"scrypt\"");
        LuksImages.Open(file).Dispose();
        Assert.Contains(
            "LUKS2 key derivation scrypt", Assert.Throws<PassphraseException>(() => LuksImages.Open(file, "first")).Message, StringComparison.Ordinal);
    }

    /// <summary>Nothing but what names a field is long in a message.</summary>
    [Fact]
    public void LongValue_IsCutInTheMessage()
    {
        byte[] file = Changed("\"size\":\"dynamic\"", $"\"size\":\"{new string('9', 3000)}\"");
        Assert.InRange(Assert.Throws<Qcow2FormatException>(() => LuksImages.Open(file, null)).Message.Length, 1, 300);
    }

    [Fact]
    public void AnyByteOfTheBinaryHeaderChanged_NothingElseEscapes()
    {
        for (int i = 0; i < 512; i++)
        {
            byte[] file = [.. Good.AsSpan(0, 1 << 20)];
            file.AsSpan(Luks2Headers.Size, Luks2Headers.Size).Clear();
            file[i] ^= 0xFF;
            Expect(i is >= Luks2Layout.Checksum and < Luks2Layout.Checksum + 32 ? file : Luks2Headers.Seal(file, 0));
        }
    }

    [Fact]
    public void AnyByteOfTheMetadataChanged_NothingElseEscapes()
    {
        byte[] json = Encoding.UTF8.GetBytes(Luks2Headers.Json(Good));
        Random random = new(5);
        ReadOnlySpan<byte> alphabet = "0129-+\"{}[],:\\ue.\x80\xff"u8;
        for (int round = 0; round < 3000; round++)
        {
            byte[] changed = [.. json];
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                changed[random.Next(changed.Length)] = alphabet[random.Next(alphabet.Length)];
            }

            Expect(Luks2Headers.WithJsonBytes(Good[..(1 << 20)], changed));
        }
    }

    private static void Expect(byte[] file)
    {
        try
        {
            LuksImages.Open(file, "x", new LuksOptions { MaxKeyIterations = 3000 }).Dispose();
        }
        catch (Qcow2Exception exception)
        {
            Assert.InRange(exception.Message.Length, 1, 500);
        }
    }

    private static byte[] Changed(string old, string replacement)
    {
        string json = Luks2Headers.Json(Good);
        int at = json.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0, $"{old} is not in {json}");
        return Luks2Headers.WithJson(Good, _ => $"{json[..at]}{replacement}{json[(at + old.Length)..]}");
    }
}
