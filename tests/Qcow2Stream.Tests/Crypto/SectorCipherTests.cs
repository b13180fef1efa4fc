using Qcow2Stream.Crypto;

namespace Qcow2Stream.Tests.Crypto;

public sealed class SectorCipherTests
{
    /// <summary>IEEE 1619-2007, vector 10: AES-256 in XTS, sector 0xff; the plaintext counts from 0 to 255, twice.</summary>
    [Fact]
    public void XtsVectorOfTheStandard_Decrypts()
    {
        byte[] key = Convert.FromHexString(
            "2718281828459045235360287471352662497757247093699959574966967627" +
            "3141592653589793238462643383279502884197169399375105820974944592");
        byte[] data = Convert.FromHexString(
            "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b5d31e276f8fe4a8d66b317f9ac683f44" +
            "680a86ac35adfc3345befecb4bb188fd5776926c49a3095eb108fd1098baec70aaa66999a72a82f27d848b21d4a741b0" +
            "c5cd4d5fff9dac89aeba122961d03a757123e9870f8acf1000020887891429ca2a3e7a7d7df7b10355165c8b9a6d0a7d" +
            "e8b062c4500dc4cd120c0f7418dae3d0b5781c34803fa75421c790dfe1de1834f280d7667b327f6c8cd7557e12ac3a0f" +
            "93ec05c52e0493ef31a12d3d9260f79a289d6a379bc70c50841473d1a8cc81ec583e9645e07b8d9670655ba5bbcfecc6" +
            "dc3966380ad8fecb17b6ba02469a020a84e18e8f84252070c13e9f1f289be54fbc481457778f616015e1327a02b140f1" +
            "505eb309326d68378f8374595c849d84f4c333ec4423885143cb47bd71c5edae9be69a2ffeceb1bec9de244fbe15992b" +
            "11b77c040f12bd8f6a975a44a0f90c29a9abc3d4d893927284c58754cce294529f8614dcd2aba991925fedc4ae74ffac" +
            "6e333b93eb4aff0479da9a410e4450e0dd7ae4c6e2910900575da401fc07059f645e8b7e9bfdef33943054ff84011493" +
            "c27b3429eaedb4ed5376441a77ed43851ad77f16f541dfd269d50d6a5f14fb0aab1cbb4c1550be97f7ab4066193c4caa" +
            "773dad38014bd2092fa755c824bb5e54c4f36ffda9fcea70b9c6e693e148c151");

        using SectorCipher cipher = new(CipherSpec.Parse("aes", "xts-plain64", 64), key);
        cipher.Decrypt(data, 0xFF);

        Assert.Equal(Enumerable.Range(0, 512).Select(i => (byte)i), data);
    }

    [Theory]
    [InlineData("aes", "ecb", 24)]
    [InlineData("aes", "cbc-essiv:sha256", 16)]
    [InlineData("aes", "ctr-plain64", 32)]
    [InlineData("aes", "xts-plain64", 64)]
    [InlineData("serpent", "xts-essiv:md5", 32)]
    [InlineData("twofish", "cbc-plain", 24)]
    [InlineData("cast5", "ctr-plain", 16)]
    public void LongRun_IsItsSectorsOneByOne(string cipherName, string mode, int keyLength)
    {
        const long FirstSector = 1234567;
        using SectorCipher cipher = Create(cipherName, mode, keyLength);
        foreach (int sectors in new[] { 0, 1, 2, 31, 32, 33, 100 })
        {
            byte[] whole = RandomBytes(sectors * 512);
            byte[] single = [.. whole];
            cipher.Decrypt(whole, FirstSector);
            for (int i = 0; i < sectors; i++)
            {
                cipher.Decrypt(single.AsSpan(i * 512, 512), FirstSector + i);
            }

            Assert.Equal(single, whole);
        }
    }

    [Theory]
    [InlineData("aes", "xts-plain64", 64)]
    [InlineData("twofish", "cbc-essiv:sha256", 32)]
    public void ManyThreads_DecryptTheSame(string cipherName, string mode, int keyLength)
    {
        using SectorCipher cipher = Create(cipherName, mode, keyLength);
        byte[] source = RandomBytes(48 * 512);
        byte[] expected = [.. source];
        cipher.Decrypt(expected, 7);

        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            byte[] data = [.. source];
            cipher.Decrypt(data, 7);
            Assert.True(data.AsSpan().SequenceEqual(expected));
        });
    }

    [Fact]
    public void Disposed_Throws()
    {
        SectorCipher cipher = Create("aes", "xts-plain64", 64);
        cipher.Decrypt(new byte[512], 0);
        cipher.Dispose();
        cipher.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cipher.Decrypt(new byte[512], 0));
    }

    [Fact]
    public async Task DisposedBesideDecrypt_ThrowsOrDecryptsRight()
    {
        byte[] source = RandomBytes(64 * 512);
        byte[] expected = [.. source];
        using (SectorCipher reference = Create("aes", "xts-plain64", 64))
        {
            reference.Decrypt(expected, 0);
        }

        for (int round = 0; round < 20; round++)
        {
            SectorCipher cipher = Create("aes", "xts-plain64", 64);
            using SemaphoreSlim running = new(0);

            // Threads of their own: the pool would start the third and fourth only after a while.
            Task[] readers = [.. Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
            {
                byte[] data = new byte[source.Length];
                while (true)
                {
                    source.CopyTo(data, 0);
                    try
                    {
                        cipher.Decrypt(data, 0);
                    }
                    catch (ObjectDisposedException)
                    {
                        return;
                    }

                    Assert.True(data.AsSpan().SequenceEqual(expected));
                    running.Release();
                }
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
            await running.WaitAsync();
            cipher.Dispose();
            await Task.WhenAll(readers);
        }
    }

    [Fact]
    public void WrongArguments_AreRefused()
    {
        using SectorCipher cipher = Create("aes", "cbc-plain64", 16);
        Assert.Throws<ArgumentException>(() => cipher.Decrypt(new byte[511], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => cipher.Decrypt(new byte[512], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Create("aes", "cbc-plain64", 16, givenKeyLength: 32));
    }

    private static SectorCipher Create(string cipher, string mode, int keyLength, int? givenKeyLength = null) =>
        new(CipherSpec.Parse(cipher, mode, (uint)keyLength), RandomBytes(givenKeyLength ?? keyLength));

    private static byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(3).NextBytes(bytes);
        return bytes;
    }
}
