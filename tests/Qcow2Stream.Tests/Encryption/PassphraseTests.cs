using System.Globalization;
using System.Text;
using Qcow2Stream.Crypto.Luks;
using Qcow2Stream.Tests.Crypto;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Snapshots;

namespace Qcow2Stream.Tests.Encryption;

/// <summary>When the passphrase is asked for, what a wrong one does, and what needs none.</summary>
public sealed class PassphraseTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Images => ["aes", "luks"];

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Images))]
    public void OpeningMapAndInformation_AskForNoPassphrase(string image)
    {
        string path = PinnedImages.PathOf(image, _scratch);
        using Qcow2Chain chain = Qcow2Chain.Open(path, new Qcow2OpenOptions
        {
            Passphrase = _ => throw new InvalidOperationException("nobody needs it"),
        });
        Assert.NotEmpty(chain.Map());
        Assert.NotNull(ImageInfo.Read(path).Encryption);

        // Nor does what no cluster holds.
        Assert.Equal(512, chain.ReadAt(40_960, new byte[512]));
    }

    [Theory]
    [MemberData(nameof(Images))]
    public async Task FirstReadOfData_AsksOnceAndWipesTheArray(string image)
    {
        List<(EncryptedImage Image, byte[] Given)> asked = [];
        string path = PinnedImages.PathOf(image, _scratch);
        using Qcow2Chain chain = Qcow2Chain.Open(path, new Qcow2OpenOptions
        {
            Passphrase = encrypted =>
            {
                asked.Add((encrypted, Encoding.UTF8.GetBytes(PinnedImages.Passphrase)));
                return asked[^1].Given;
            },
        });
        byte[] sync = new byte[5000];
        byte[] async = new byte[5000];
        Assert.Equal(5000, chain.ReadAt(3, sync));
        Assert.Equal(5000, await chain.ReadAtAsync(3, async));

        Assert.Equal(sync, async);
        Assert.All(sync[..5000], b => Assert.Contains(b, new byte[] { 0xE1, 0 }));
        (EncryptedImage Image, byte[] Given) only = Assert.Single(asked);
        Assert.Equal((path, image == "aes" ? Qcow2EncryptionMethod.Aes : Qcow2EncryptionMethod.Luks), (only.Image.ImagePath, only.Image.Method));
        Assert.Equal(image == "luks", only.Image.Uuid is not null);
        Assert.All(only.Given, b => Assert.Equal(0, b));
    }

    /// <summary>Reads that start and end inside sectors, at every distance from their borders, sync and async.</summary>
    [Theory]
    [MemberData(nameof(Images))]
    public async Task PartsOfSectors_AreDecryptedAsTheWhole(string image)
    {
        using Qcow2ChainStream disk = PinnedImages.Open(image, _scratch);
        byte[] whole = new byte[disk.Length];
        disk.ReadExactly(whole);
        foreach (int start in (int[])[0, 1, 511, 512, 513, 4095, 4096, 20_479, 20_481])
        {
            foreach (int length in (int[])[1, 511, 512, 513, 1024, 1500, 8193])
            {
                byte[] part = new byte[length];
                Assert.Equal(length, disk.Chain.ReadAt(start, part));
                Assert.Equal(whole[start..(start + length)], part);
                part.AsSpan().Clear();
                Assert.Equal(length, await disk.Chain.ReadAtAsync(start, part));
                Assert.Equal(whole[start..(start + length)], part);
            }
        }
    }

    [Fact]
    public async Task WrongPassphrase_IsItsOwnError()
    {
        string path = PinnedImages.PathOf("luks", _scratch);
        int asked = 0;
        using Qcow2Chain chain = Qcow2Chain.Open(path, new Qcow2OpenOptions
        {
            Passphrase = _ => Encoding.UTF8.GetBytes(asked++ == 0 ? "close sesame" : PinnedImages.Passphrase),
        });
        PassphraseException error = Assert.Throws<PassphraseException>(() => chain.ReadAt(0, new byte[512]));
        Assert.Contains("the passphrase is wrong: it opens none of the active key slots (tried: 1)", error.Message, StringComparison.Ordinal);
        Assert.Equal(path, error.ImagePath);

        // A failed attempt is not kept: the next read asks again.
        byte[] buffer = new byte[512];
        Assert.Equal(512, await chain.ReadAtAsync(0, buffer));
        Assert.All(buffer, b => Assert.Equal(0xE1, b));
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void NoPassphrase_SaysHowToGiveOne(string image)
    {
        string path = PinnedImages.PathOf(image, _scratch);
        using Qcow2Chain none = Qcow2Chain.Open(path);
        PassphraseException error = Assert.Throws<PassphraseException>(() => none.ReadAt(0, new byte[1]));
        Assert.Contains(nameof(Qcow2OpenOptions.Passphrase), error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Hint);
        using Qcow2Chain refused = Qcow2Chain.Open(path, new Qcow2OpenOptions { Passphrase = _ => null });
        Assert.Throws<PassphraseException>(() => refused.ReadAt(0, new byte[1]));
    }

    /// <summary>A header may ask for hours of key derivation. That is judged for the image as a whole, before anything is derived or asked.</summary>
    [Theory]
    [InlineData(8, 20_000_000, 20_000_000)]
    [InlineData(8, 5_000_000, 1)]
    [InlineData(1, uint.MaxValue, 1)]
    [InlineData(1, 1, uint.MaxValue)]
    public void TooManyRounds_AreRefusedBeforeTheFirst(int slots, uint slotRounds, uint digestRounds)
    {
        byte[] image = File.ReadAllBytes(PinnedImages.PathOf("luks", _scratch));
        int luks = image.AsSpan().IndexOf("LUKS"u8);
        image.WriteU32(luks + Luks1Layout.MasterKeyIterations, digestRounds);
        for (int slot = 0; slot < slots; slot++)
        {
            image.WriteU32(luks + LuksFixture.SlotAt(slot) + Luks1Layout.SlotActive, 0x00AC71F3)
                .WriteU32(luks + LuksFixture.SlotAt(slot) + Luks1Layout.SlotIterations, slotRounds);
        }

        int asked = 0;
        Qcow2OpenOptions options = new()
        {
            Passphrase = _ =>
            {
                asked++;
                return "wrong"u8.ToArray();
            },
        };
        using Qcow2Chain chain = Qcow2Chain.Open(_scratch.Write("slow.qcow2", image), options);
        Qcow2UnsupportedException error = Assert.Throws<Qcow2UnsupportedException>(() => chain.ReadAt(0, new byte[1]));
        Assert.Contains("40000000 are allowed (to allow more: MaxKeyIterations)", error.Message, StringComparison.Ordinal);
        Assert.Equal((0, nameof(Qcow2OpenOptions.MaxKeyIterations)), (asked, error.Hint));
    }

    [Fact]
    public void AsManyRoundsAsAllowed_AreDone()
    {
        string path = PinnedImages.PathOf("luks", _scratch);
        Qcow2OpenOptions options = new() { Passphrase = _ => Encoding.UTF8.GetBytes(PinnedImages.Passphrase), MaxKeyIterations = 1 };
        using Qcow2Chain refused = Qcow2Chain.Open(path, options);
        string message = Assert.Throws<Qcow2UnsupportedException>(() => refused.ReadAt(0, new byte[1])).Message;
        int rounds = int.Parse(message.Split("ask for ")[1].Split(' ')[0], CultureInfo.InvariantCulture);
        using Qcow2Chain allowed = Qcow2Chain.Open(path, options with { MaxKeyIterations = rounds });
        Assert.Equal(1, allowed.ReadAt(0, new byte[1]));
        using Qcow2Chain fewer = Qcow2Chain.Open(path, options with { MaxKeyIterations = rounds - 1 });
        Assert.Throws<Qcow2UnsupportedException>(() => fewer.ReadAt(0, new byte[1]));
    }

    /// <summary>qemu-img info crashes on this one.</summary>
    [Fact]
    public void LuksWithoutItsExtension_IsAnError()
    {
        byte[] image = File.ReadAllBytes(Repository.Image("zero.qcow2")).WriteU32(HeaderField.CryptMethod, 2);
        string path = _scratch.Write("no-extension.qcow2", image);
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => ImageInfo.Read(path));
        Assert.Contains("no full disk encryption extension", error.Message, StringComparison.Ordinal);
        Assert.Equal(HeaderField.CryptMethod, error.HostOffset);

        // Its map needs no key, and its data needs what is not there.
        using Qcow2Chain chain = Qcow2Chain.Open(path, new Qcow2OpenOptions { Passphrase = _ => [1] });
        Assert.NotEmpty(chain.Map());
        Assert.Throws<Qcow2FormatException>(() => chain.ReadAt(0, new byte[1]));
    }

    [Fact]
    public void ReadAfterDispose_EndsInObjectDisposed()
    {
        Qcow2ChainStream disk = PinnedImages.Open("luks", _scratch);
        Assert.Equal(0xE1, disk.ReadByte());
        Qcow2Chain chain = disk.Chain;
        disk.Dispose();
        disk.Dispose();
        Assert.Throws<ObjectDisposedException>(() => chain.ReadAt(0, new byte[1]));
    }
}
