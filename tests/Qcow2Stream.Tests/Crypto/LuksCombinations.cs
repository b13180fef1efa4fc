namespace Qcow2Stream.Tests.Crypto;

/// <summary>What QEMU can open: every cipher in every mode with every initialization vector, the hashes in turn.</summary>
internal static class LuksCombinations
{
    private static readonly string[] Hashes = ["sha256", "sha1", "sha512", "ripemd160", "md5", "sha224", "sha384"];

    public static IReadOnlyList<(string Cipher, int KeyBytes, string Mode, string Hash)> All { get; } = [.. Ciphers()
        .SelectMany(
            _ => new[] { "ecb", "cbc", "ctr", "xts" },
            (cipher, mode) => (cipher.Name, cipher.KeyBits, Mode: mode))
        .Where(row => Exists(row.Name, row.KeyBits, row.Mode))
        .SelectMany(
            row => Ivs(row.Name),
            (row, iv) => (row.Name, row.KeyBits / (row.Mode == "xts" ? 4 : 8), $"{row.Mode}-{iv}"))
        .Select((row, i) => (row.Name, row.Item2, row.Item3, Hashes[i % Hashes.Length]))];

    private static IEnumerable<(string Name, int KeyBits)> Ciphers() =>
        new[] { "aes", "serpent", "twofish" }
            .SelectMany(cipher => new[] { 128, 192, 256 }.Select(bits => (cipher, bits)))
            .Append(("cast5", 128));

    // XTS needs blocks of 16 bytes. At 192 bits without XTS, 4000 stripes end within a sector: QEMU ends in an assertion.
    private static bool Exists(string cipher, int keyBits, string mode) =>
        mode == "xts" ? cipher != "cast5" : keyBits != 192;

    private static string[] Ivs(string cipher) =>
        cipher == "cast5" ? ["plain", "plain64", "essiv:md5"] : ["plain", "plain64", "essiv:md5", "essiv:sha256"];
}
