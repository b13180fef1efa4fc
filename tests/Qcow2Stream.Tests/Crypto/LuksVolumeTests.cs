using System.Text;
using Qcow2Stream.Crypto.Luks;

namespace Qcow2Stream.Tests.Crypto;

/// <summary>Volumes whose data cryptsetup and qemu-img have encrypted, from the passphrase to the data.</summary>
public sealed class LuksVolumeTests
{
    private static readonly byte[] Slots = LuksImages.Read("luks2-slots");
    private static readonly byte[] Default = LuksImages.Read("luks2");

    [Theory]
    [InlineData("luks1", 1, "serpent-xts-plain64", 512, "")]
    [InlineData("luks2", 2, "aes-xts-plain64", 4096, "")]
    [InlineData("luks2-slots", 2, "aes-cbc-essiv:sha256", 512, "größer")]
    public void Volume_SaysWhatItIsAndReadsAsWritten(string name, int version, string cipher, int sectorSize, string label)
    {
        byte[] file = LuksImages.Read(name);
        using LuksVolume volume = LuksImages.Open(file);
        Assert.Equal((version, cipher, sectorSize, label), (volume.Version, volume.Cipher, volume.SectorSize, volume.Label));
        Assert.True(Guid.TryParse(volume.Uuid, out _));
        Assert.Equal(LuksImages.Data, LuksImages.ReadAll(volume));
    }

    /// <summary>Argon2id, Argon2i, PBKDF2 with SHA-512, and with SHA-1 in a slot that cryptsetup ignores.</summary>
    [Theory]
    [InlineData("open sesame")]
    [InlineData("first")]
    [InlineData("second")]
    [InlineData("third")]
    public void EachKeySlot_OpensTheVolume(string passphrase)
    {
        using LuksVolume volume = LuksImages.Open(Slots, passphrase);
        Assert.Equal(LuksImages.Data, LuksImages.ReadAll(volume));
    }

    [Fact]
    public void Slots_AreTriedByPriority()
    {
        var header = Luks2BinaryHeader.Parse(Slots.AsSpan(0, Luks2Layout.Length), 0);
        LuksVolumeHeader parsed = Luks2HeaderParser.Parse(header, Slots.AsMemory(Luks2Layout.Length, header.Size - Luks2Layout.Length), Slots.Length);
        Assert.Equal([2, 0, 1, 3], parsed.Slots.Select(slot => slot.Index));
    }

    [Theory]
    [InlineData("luks1")]
    [InlineData("luks2")]
    [InlineData("luks2-slots")]
    public void AnyAlignment_ReadsTheSame(string name)
    {
        using LuksVolume volume = LuksImages.Open(LuksImages.Read(name));
        foreach (int offset in new[] { 0, 1, 511, 512, 4095, 4096, 5000, 36864, 40000, 40959, 40960, 50000 })
        {
            foreach (int length in new[] { 0, 1, 11, 512, 4095, 4096, 4097, 9000, 40960 })
            {
                byte[] buffer = new byte[length];
                int read = volume.ReadAt(offset, buffer);
                byte[] expected = [.. LuksImages.Data.Skip(offset).Take(length)];
                Assert.Equal(expected, buffer[..read]);
            }
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => volume.ReadAt(-1, new byte[1]));
        Assert.Equal(0, volume.ReadAt(long.MaxValue, new byte[1]));
    }

    [Fact]
    public void ManyThreads_ReadTheSame()
    {
        using LuksVolume volume = LuksImages.Open(Default);
        Parallel.For(0, 200, i =>
        {
            byte[] buffer = new byte[5000];
            Assert.Equal(5000, volume.ReadAt(i * 100, buffer));
            Assert.True(buffer.AsSpan().SequenceEqual(LuksImages.Data.AsSpan(i * 100, 5000)));
        });
    }

    /// <summary>The first header is overwritten, has a wrong checksum, or is the older one.</summary>
    [Fact]
    public void SecondHeader_IsTakenWhereTheFirstIsDamagedOrOlder()
    {
        byte[] overwritten = [.. Slots];
        overwritten.AsSpan(0, 4096).Clear();
        byte[] flipped = [.. Slots];
        flipped[Luks2Layout.Length + 5] ^= 1;

        // The newer one has another label.
        byte[] older = [.. Slots];
        older.AsSpan(Luks2Headers.Size + Luks2Layout.Label, Luks2Layout.LabelLength).Clear();
        "new"u8.CopyTo(older.AsSpan(Luks2Headers.Size + Luks2Layout.Label));
        Luks2Headers.WithSequenceId(older, Luks2Headers.Size, 1000);

        foreach ((byte[] file, string label) in new[] { (overwritten, "größer"), (flipped, "größer"), (older, "new") })
        {
            using LuksVolume volume = LuksImages.Open(file, "second");
            Assert.Equal(LuksImages.Data, LuksImages.ReadAll(volume));
            Assert.Equal(label, volume.Label);
        }

        // A newer one that is damaged is none.
        older[Luks2Headers.Size + Luks2Layout.Length + 5] ^= 1;
        using LuksVolume first = LuksImages.Open(older, "second");
        Assert.Equal("größer", first.Label);
    }

    [Fact]
    public void Passphrase_IsAskedForOnceAndWiped()
    {
        List<EncryptedVolume> asked = [];
        byte[] given = Encoding.UTF8.GetBytes("open sesame");
        using var file = HostFile.FromStream(new MemoryStream(Slots));
        LuksOptions options = new()
        {
            Passphrase = volume =>
            {
                asked.Add(volume);
                return given;
            },
        };
        LuksVolume.Open(file, options).Dispose();
        EncryptedVolume only = Assert.Single(asked);
        Assert.Equal((2, "größer", null), (only.Version, only.Label, only.Path));
        Assert.All(given, value => Assert.Equal(0, value));

        // The file is the caller's.
        Assert.Equal(Slots.Length, file.GetLength());
    }

    [Fact]
    public void NoPassphraseOrAWrongOne_IsRefused()
    {
        PassphraseException none = Assert.Throws<PassphraseException>(() => LuksImages.Open(Slots, null));
        Assert.Equal(nameof(LuksOptions.Passphrase), none.Hint);
        Assert.Contains("tried: 4", Assert.Throws<PassphraseException>(() => LuksImages.Open(Slots, "wrong")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_AreJudgedBeforeThePassphrase()
    {
        LuksOptions memory = new() { MaxKeyMemory = (32 << 10) - 1 };
        Assert.Equal(
            nameof(LuksOptions.MaxKeyMemory), Assert.Throws<Qcow2UnsupportedException>(() => LuksImages.Open(Slots, null, memory)).Hint);
        LuksOptions work = new() { MaxKeyIterations = 128 + 256 };
        Assert.Equal(
            nameof(LuksOptions.MaxKeyIterations), Assert.Throws<Qcow2UnsupportedException>(() => LuksImages.Open(Slots, null, work)).Hint);
        LuksImages.Open(Slots, options: new LuksOptions { MaxKeyMemory = 32 << 10 }).Dispose();
        Assert.Throws<ArgumentOutOfRangeException>(() => new LuksOptions { MaxKeyMemory = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new LuksOptions { MaxKeyIterations = 0 });
    }

    [Fact]
    public void CutFile_IsToldOrShorter()
    {
        const int Headers = 16 << 20;
        using (LuksVolume volume = LuksImages.Open(Default[..^100]))
        {
            // As many whole sectors as there are.
            Assert.Equal(LuksImages.DataLength - 4096, volume.Length);
        }

        using (LuksVolume empty = LuksImages.Open(Default[..Headers]))
        {
            Assert.Equal(0, empty.Length);
        }

        Assert.Throws<Qcow2FormatException>(() => LuksImages.Open(Default[..(Headers - 1)]));
        Assert.Throws<Qcow2FormatException>(() => LuksImages.Open(Default[..5000]));
        Assert.Throws<Qcow2FormatException>(() => LuksImages.Open([]));
        Assert.Throws<Qcow2FormatException>(() => LuksImages.Open(new byte[10000]));
    }

    [Fact]
    public void Disposed_Throws()
    {
        LuksVolume volume = LuksImages.Open(Default);
        volume.Dispose();
        volume.Dispose();
        Assert.Throws<ObjectDisposedException>(() => volume.ReadAt(0, new byte[1]));
    }

    [Fact]
    public void Cancelled_Throws() => Assert.Throws<OperationCanceledException>(() => LuksVolume.Open(
        HostFile.FromStream(new MemoryStream(Default)), new LuksOptions { Passphrase = _ => [1] }, new CancellationToken(true)));
}
