using System.Text;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;
using Qcow2Stream.Tests.Snapshots;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>What clients read from a served image is the guest's disk.</summary>
public sealed class ServedDiskTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public static TheoryData<string> Images => [.. PinnedImages.Names, "ext4"];

    public void Dispose() => _directory.Dispose();

    [NbdTheory]
    [MemberData(nameof(Images))]
    public async Task Nbdcopy_GetsTheGuestsBytes(string image)
    {
        byte[] expected = Disk(image);
        using LocalServer onPort = new(Open(image));
        Assert.Equal(expected, await NbdTools.Copy(onPort.Uri, _directory));
        using LocalServer onSocket = new(Open(image), _directory.File("a socket"));
        Assert.Equal(expected, await NbdTools.Copy(onSocket.Uri, _directory));
        Assert.Empty(onPort.Errors.Concat(onSocket.Errors));
    }

    [NbdTheory]
    [InlineData("chain-3", true)]
    [InlineData("chain-3", false)]
    [InlineData("extended-l2", true)]
    [InlineData("zstd", false)]
    [InlineData("v3-2m", true)]
    public async Task QemuImg_MapsConvertsAndCompares(string image, bool onSocket)
    {
        string path = PinnedImages.PathOf(image, _directory);
        using LocalServer server = new(Open(image), onSocket ? _directory.File("socket") : null);
        Assert.Equal(await StatusMap.OfFile(path), await StatusMap.OfFile("-f", "raw", server.Uri));

        string raw = _directory.File("converted.raw");
        await NbdTools.Run("qemu-img", "convert", "-f", "raw", "-O", "raw", server.Uri, raw);
        Assert.Equal(Disk(image), await File.ReadAllBytesAsync(raw));
        Assert.Equal("Images are identical.\n", await NbdTools.Run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", path, server.Uri));
    }

    [NbdFact]
    public async Task ManyClientsAtOnce_AllGetTheDisk()
    {
        using LocalServer server = new(Open("ext4"), _directory.File("socket"), new NbdServerOptions { MaxConnections = 64 });
        byte[] expected = Disk("ext4");
        byte[][] copies = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => NbdTools.Copy(server.Uri, _directory)));
        Assert.All(copies, copy => Assert.Equal(expected, copy));
    }

    private byte[] Disk(string image)
    {
        using Qcow2Chain chain = Open(image);
        return chain.ReadWholeDisk();
    }

    private Qcow2Chain Open(string image) => Qcow2Chain.Open(
        PinnedImages.PathOf(image, _directory),
        new Qcow2OpenOptions { Passphrase = _ => Encoding.UTF8.GetBytes(PinnedImages.Passphrase) });
}
