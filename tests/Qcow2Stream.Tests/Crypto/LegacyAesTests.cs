using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Qcow2Stream.Crypto;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Crypto;

public sealed class LegacyAesTests
{
    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("sixteen bytes ok")]
    [InlineData("longer than sixteen bytes")]
    public void Passphrase_IsTheKey(string passphrase)
    {
        const long FirstSector = (1L << 32) - 1;
        byte[] plain = new byte[3 * 512];
        new Random(1).NextBytes(plain);
        byte[] key = new byte[16];
        Encoding.UTF8.GetBytes(passphrase).AsSpan(0, Math.Min(16, passphrase.Length)).CopyTo(key);
        byte[] actual = [.. Enumerable.Range(0, 3).SelectMany(i => Encrypt(key, FirstSector + i, plain.AsSpan(i * 512, 512)))];

        using SectorCipher cipher = LegacyAes.CreateCipher(Encoding.UTF8.GetBytes(passphrase));
        cipher.Decrypt(actual, FirstSector);

        Assert.Equal(plain, actual);
    }

    /// <summary>The guest's sector 3 TiB / 512 needs more than 32 bits.</summary>
    [QemuTheory]
    [InlineData("0")]
    [InlineData("a passphrase beyond sixteen bytes")]
    public async Task ImageOfQemu_CountsSectorsOfTheGuest(string passphrase)
    {
        const long GuestOffset = 3L << 40;
        using TempDirectory scratch = new();
        string file = scratch.File("disk.qcow2");
        string[] secret = LuksByQemu.SecretOf("s", Encoding.UTF8.GetBytes(passphrase));
        await Qemu.Img(["create", "-q", "-f", "qcow2", .. secret, "-o", "encrypt.format=aes,encrypt.key-secret=s", file, "4T"]);
        byte[] expected = new byte[65536];
        new Random(2).NextBytes(expected);
        string raw = scratch.Write("content.raw", expected);

        // A window on the disk: raw, from the offset on.
        await Qemu.Img(
            ["convert", "-n", .. secret, "-f", "raw", raw, "--target-image-opts",
             $"driver=raw,offset={GuestOffset},size={expected.Length},file.driver=qcow2,file.encrypt.key-secret=s,file.file.filename={file}"]);

        byte[] bytes = await File.ReadAllBytesAsync(file);
        long hostOffset = Qcow2Bytes.HostOffset(bytes, GuestOffset);
        byte[] actual = bytes[(int)hostOffset..(int)(hostOffset + expected.Length)];
        using SectorCipher cipher = LegacyAes.CreateCipher(Encoding.UTF8.GetBytes(passphrase));
        cipher.Decrypt(actual, GuestOffset / 512);
        Assert.Equal(expected, actual);
    }

    private static byte[] Encrypt(byte[] key, long sector, ReadOnlySpan<byte> plain)
    {
        byte[] iv = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(iv, sector);
        using var aes = Aes.Create();
        aes.Key = key;
        return aes.EncryptCbc(plain, iv, PaddingMode.None);
    }
}
