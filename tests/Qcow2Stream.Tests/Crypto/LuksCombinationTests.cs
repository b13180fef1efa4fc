using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>The pinned text stands where there is no QEMU; the second test says that QEMU reads the same.</summary>
public sealed class LuksCombinationTests
{
    public static IEnumerable<object[]> Combinations =>
        LuksCombinations.All.Select(row => new object[] { row.Cipher, row.KeyBytes, row.Mode, row.Hash });

    [Fact]
    public Task EveryCombination_DecryptsAsPinned()
    {
        StringBuilder text = new();
        foreach ((string cipher, int keyBytes, string mode, string hash) in LuksCombinations.All)
        {
            LuksFixture luks = new(cipher, keyBytes, mode, hash);
            string digest = Convert.ToHexStringLower(luks.Parse().MasterKeyDigest.Span);
            string payload = Convert.ToHexStringLower(SHA256.HashData(luks.DecryptPayload()).AsSpan(0, 16));
            text.Append(CultureInfo.InvariantCulture, $"{cipher,-7} {keyBytes,2} {mode,-16} {hash,-9} {digest} {payload}\n");
        }

        return Verifier.Verify(text.ToString());
    }

    [QemuTheory]
    [MemberData(nameof(Combinations))]
    public async Task Payload_DecryptsAsByQemu(string cipher, int keyBytes, string mode, string hash)
    {
        using TempDirectory scratch = new();
        LuksFixture luks = new(cipher, keyBytes, mode, hash);
        string file = scratch.Write("disk.luks", luks.Bytes);
        Assert.Equal(await LuksByQemu.Read(file, scratch), luks.DecryptPayload());
    }
}
