using System.Text.Json.Nodes;
using Qcow2Stream.Crypto;
using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>Files that qemu-img made, from the passphrase to the plaintext.</summary>
public sealed class LuksImagesOfQemuTests : IDisposable
{
    private const int DiskLength = 256 * 1024;

    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [InlineData("cipher-alg=aes-128,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256,hash-alg=sha1")]
    [InlineData("cipher-alg=twofish-192,cipher-mode=xts,ivgen-alg=plain,ivgen-hash-alg=sha1,hash-alg=ripemd160")]
    public async Task RawLuks_DecryptsAndDescribesItself(string options)
    {
        string file = await Create("luks", $"key-secret=s,iter-time=10,{options}");
        byte[] expected = await WriteDisk(LuksByQemu.ImageOf(file)[1]);

        byte[] bytes = await File.ReadAllBytesAsync(file);
        var header = Luks1Header.Parse(bytes, bytes.Length);
        using SectorCipher cipher = Unlock(header, bytes, LuksFixture.Passphrase)!;
        byte[] actual = bytes[(int)header.PayloadOffset..];
        cipher.Decrypt(actual, 0);

        Assert.Equal(expected, actual);
        var info = JsonNode.Parse(await Qemu.Img("info", "--output=json", "-f", "luks", file));
        Assert.True(JsonNode.DeepEquals(info!["format-specific"]!["data"], Describe(header)), info.ToJsonString());
    }

    [QemuFact]
    public async Task SecondKeySlot_OpensWithItsOwnPassphrase()
    {
        string file = await Create("luks", "key-secret=s,iter-time=10");
        byte[] second = "second"u8.ToArray();
        await LuksByQemu.WriteKeySlots(
            ["amend", .. LuksByQemu.Secret, .. LuksByQemu.SecretOf("n", second), .. LuksByQemu.ImageOf(file), "-o", "state=active,new-secret=n,keyslot=5,iter-time=10"]);
        byte[] expected = await WriteDisk(LuksByQemu.ImageOf(file)[1]);

        byte[] bytes = await File.ReadAllBytesAsync(file);
        var header = Luks1Header.Parse(bytes, bytes.Length);
        Assert.Equal([0, 5], header.Slots.Where(slot => slot.Active).Select(slot => slot.Index));
        Assert.Null(header.TryUnlock(header.Slots[0], LuksFixture.KeyMaterialOf(bytes, header.Slots[0]), second));
        using SectorCipher cipher = Unlock(header, bytes, second)!;
        byte[] actual = bytes[(int)header.PayloadOffset..];
        cipher.Decrypt(actual, 0);
        Assert.Equal(expected, actual);
    }

    [QemuFact]
    public async Task LuksInQcow2_CountsSectorsOfTheHostFile()
    {
        string file = await Create("qcow2", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10");
        byte[] expected = await WriteDisk($"driver=qcow2,encrypt.key-secret=s,file.filename={file}");

        byte[] bytes = await File.ReadAllBytesAsync(file);
        (int luksOffset, int luksLength) = Qcow2Bytes.EncryptionHeader(bytes);
        byte[] luks = bytes[luksOffset..(luksOffset + luksLength)];
        using SectorCipher cipher = Unlock(Luks1Header.Parse(luks, luks.Length), luks, LuksFixture.Passphrase)!;

        long cluster = Qcow2Bytes.HostOffset(bytes, guestOffset: 0x10000);
        byte[] actual = bytes[(int)cluster..(int)(cluster + 0x10000)];
        cipher.Decrypt(actual, cluster / 512);
        Assert.Equal(expected[0x10000..0x20000], actual);
    }

    /// <summary>Sector 2^32 and those around it, where plain and plain64 part.</summary>
    [QemuTheory]
    [InlineData("plain")]
    [InlineData("plain64")]
    [InlineData("essiv:sha256")]
    public async Task SectorBeyond32Bits_DecryptsAsByQemu(string iv)
    {
        const long First = (1L << 32) - 2;
        const int Count = 4;
        LuksFixture luks = new("aes", 32, $"cbc-{iv}", "sha256");
        string file = _scratch.Write("disk.luks", luks.Bytes);
        byte[] actual = luks.Bytes[..(Count * 512)];
        long payload = luks.Parse().PayloadOffset;
        using (FileStream stream = File.OpenWrite(file))
        {
            stream.Position = payload + (First * 512);
            stream.Write(actual);
        }

        string plain = _scratch.File("plain.raw");
        await Qemu.Img(
            ["convert", .. LuksByQemu.Secret, "--image-opts",
             $"driver=raw,offset={First * 512},size={actual.Length},file.driver=luks,file.key-secret=s,file.file.filename={file}",
             "-O", "raw", plain]);

        using SectorCipher cipher = luks.Unlock();
        cipher.Decrypt(actual, First);
        Assert.Equal(await File.ReadAllBytesAsync(plain), actual);
    }

    private async Task<string> Create(string format, string options)
    {
        string file = _scratch.File($"disk.{format}");
        await LuksByQemu.WriteKeySlots(["create", "-q", "-f", format, .. LuksByQemu.Secret, "-o", options, file, $"{DiskLength}"]);
        return file;
    }

    /// <summary>Fills the whole disk and returns its bytes.</summary>
    private async Task<byte[]> WriteDisk(string imageOptions)
    {
        byte[] content = new byte[DiskLength];
        new Random(1).NextBytes(content);
        string raw = _scratch.Write("content.raw", content);
        await Qemu.Img(
            ["convert", "-n", .. LuksByQemu.Secret, "-f", "raw", raw, "--target-image-opts", imageOptions]);
        return content;
    }

    private static SectorCipher? Unlock(Luks1Header header, byte[] file, byte[] passphrase) =>
        header.Slots
            .Where(slot => slot.Active)
            .Select(slot => header.TryUnlock(slot, LuksFixture.KeyMaterialOf(file, slot), passphrase))
            .FirstOrDefault(cipher => cipher is not null);

    private static JsonObject Describe(Luks1Header header)
    {
        JsonObject data = new()
        {
            ["cipher-alg"] = header.Cipher.CipherName,
            ["cipher-mode"] = header.Cipher.ModeName,
            ["ivgen-alg"] = header.Cipher.IvName,
            ["hash-alg"] = header.Hash.Name,
            ["uuid"] = header.Uuid,
            ["payload-offset"] = header.PayloadOffset,
            ["master-key-iters"] = header.MasterKeyIterations,
            ["slots"] = new JsonArray([.. header.Slots.Select(Describe)]),
        };
        if (header.Cipher.EssivHash is { } hash)
        {
            data["ivgen-hash-alg"] = hash.Name;
        }

        return data;
    }

    private static JsonNode Describe(Luks1KeySlot slot) => slot.Active
        ? new JsonObject { ["active"] = true, ["iters"] = slot.Iterations, ["key-offset"] = slot.KeyMaterialOffset, ["stripes"] = slot.Stripes }
        : new JsonObject { ["active"] = false, ["key-offset"] = slot.KeyMaterialOffset };
}
