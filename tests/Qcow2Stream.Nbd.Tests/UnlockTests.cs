using System.Text;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;
using Qcow2Stream.Tests.Snapshots;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>Passphrases are asked for before there are clients.</summary>
public sealed class UnlockTests : IDisposable
{
    private const uint Aes = 1;

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void MissingOrWrongPassphrase_IsKnown()
    {
        using NbdServer missing = new(Qcow2Chain.Open(Repository.Image("aes.qcow2")));
        Assert.Throws<PassphraseException>(missing.Unlock);
        using NbdServer wrong = new(Qcow2Chain.Open(
            PinnedImages.PathOf("luks", _directory), new Qcow2OpenOptions { Passphrase = _ => [1, 2, 3] }));
        Assert.Throws<PassphraseException>(wrong.Unlock);
    }

    [Fact]
    public void RightPassphrase_IsAskedForOnce()
    {
        int asked = 0;
        using NbdServer server = new(Qcow2Chain.Open(Repository.Image("aes.qcow2"), new Qcow2OpenOptions
        {
            Passphrase = _ =>
            {
                asked++;
                return Encoding.UTF8.GetBytes(PinnedImages.Passphrase);
            },
        }));
        server.Unlock();
        server.Unlock();
        Assert.Equal(1, asked);
    }

    /// <summary>A layer that shows nothing is left alone; one below it that does is asked for, too.</summary>
    [Fact]
    public void EveryEncryptedLayerThatShows_IsAskedFor()
    {
        Write("base.qcow2", null, GuestClusters.Data(0, 1, count: 4));
        Write("hidden.qcow2", "base.qcow2", GuestClusters.Data(1, 2));
        string top = Write("top.qcow2", "hidden.qcow2", GuestClusters.Data(1, 3));
        List<string?> asked = [];
        using NbdServer server = new(Qcow2Chain.Open(top, new Qcow2OpenOptions
        {
            Passphrase = image =>
            {
                asked.Add(Path.GetFileName(image.ImagePath));
                return [1];
            },
        }));
        server.Unlock();
        Assert.Equal(["base.qcow2", "top.qcow2"], asked.Order());

        using NbdServer withoutTheBase = new(Qcow2Chain.Open(top, new Qcow2OpenOptions
        {
            Passphrase = image => Path.GetFileName(image.ImagePath) == "base.qcow2" ? null : [1],
        }));
        Assert.Equal(_directory.File("base.qcow2"), Assert.Throws<PassphraseException>(withoutTheBase.Unlock).ImagePath);
    }

    [Fact]
    public void ImageWithoutEncryption_IsNotRead()
    {
        GatedFile file = new(ServedImage.Bytes);
        using NbdServer server = new(Qcow2Chain.Open(file));
        file.Before = _ => throw new InvalidOperationException("it is read");
        server.Unlock();
    }

    /// <summary>The rest can be served.</summary>
    [Fact]
    public void DamagedTable_IsNoMatterOfPassphrases()
    {
        string path = Write("damaged.qcow2", null, GuestClusters.RawEntry(0, 0x8000_0000_0000_0200), GuestClusters.Data(1, 1));
        using NbdServer server = new(Qcow2Chain.Open(path));
        server.Unlock();
    }

    private string Write(string name, string? backing, params GuestClusters[] clusters)
    {
        Qcow2Builder image = new()
        {
            Size = 1 << 20,
            CryptMethod = Aes,
            BackingFile = backing,
            BackingFormat = backing is null ? null : "qcow2",
            Clusters = clusters,
        };
        return _directory.Write(name, image.Build().ToBytes());
    }
}
