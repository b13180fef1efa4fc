using System.Text;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;
using Qcow2Stream.Tests.Snapshots;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>What nbdinfo says of a served image is what QEMU's programs say of the file.</summary>
public sealed class ServedMapTests : IDisposable
{
    private static readonly string[] Contexts = ["base:allocation", "qemu:allocation-depth"];

    private readonly TempDirectory _directory = new();

    public static TheoryData<string> Images => [.. PinnedImages.Names, "ext4", "chain-1", "chain-2"];

    public void Dispose() => _directory.Dispose();

    [NbdTheory]
    [MemberData(nameof(Images))]
    public async Task Image_IsMappedAsByQemu(string image)
    {
        string path = PinnedImages.PathOf(image, _directory);
        string[] arguments = PinnedImages.IsEncrypted(image)
            ? ["--object", $"secret,id=key,data={PinnedImages.Passphrase}", "--image-opts", $"driver=qcow2,encrypt.key-secret=key,file.filename={path}"]
            : [path];
        using LocalServer server = new(Open(path));
        Assert.Equal(await StatusMap.OfFile(arguments), await StatusMap.OfServer("base:allocation", server.Uri));
        await CompareWithQemuNbd(server, arguments);
    }

    /// <summary>QEMU gives a snapshot the size of the active disk.</summary>
    [NbdTheory]
    [InlineData("first")]
    [InlineData("second")]
    [InlineData("third one")]
    public async Task Snapshot_IsMappedAsByQemu(string name)
    {
        string path = PinnedImages.PathOf("snapshots", _directory);
        using LocalServer server = new(Open(path, name), _directory.File("socket"));
        await CompareWithQemuNbd(server, "-l", $"snapshot.name={name}", path);
    }

    /// <summary>What only the host's file system knows of a raw file doesn't affect the depth.</summary>
    [NbdFact]
    public async Task RawBackingFileWithHoles_IsMappedAsByQemu()
    {
        await Qemu.ImgIn(_directory.Path, "create", "-q", "-f", "raw", "base.raw", "1000k");
        await Qemu.IoIn(_directory.Path, "base.raw", "raw", "write -P 1 64k 64k", "write -P 2 512k 4k");
        await Qemu.ImgIn(_directory.Path, "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "base.raw", "middle.qcow2", "900k");
        await Qemu.IoIn(_directory.Path, "middle.qcow2", "qcow2", "write -P 3 128k 64k", "write -z 192k 64k", "write -z -u 64k 64k");
        await Qemu.ImgIn(
            _directory.Path, "create", "-q", "-f", "qcow2", "-o", "extended_l2=on", "-F", "qcow2", "-b", "middle.qcow2", "top.qcow2", "2M");
        await Qemu.IoIn(_directory.Path, "top.qcow2", "qcow2", "write -P 4 130k 4k", "write -z -u 200k 2k", "write -P 5 896k 16k", "write -P 6 1500k 8k");
        foreach (string image in (string[])["base.raw", "middle.qcow2", "top.qcow2"])
        {
            string path = _directory.File(image);
            string[] arguments = ["-f", Path.GetExtension(image)[1..], path];
            using LocalServer server = new(Open(path));
            Assert.Equal(await StatusMap.OfFile(arguments), await StatusMap.OfServer("base:allocation", server.Uri));
            await CompareWithQemuNbd(server, arguments);
        }
    }

    /// <summary>More extents than one reply has room for, and a disk larger than one request can be.</summary>
    [NbdFact]
    public async Task ManyExtentsOnALargeDisk_AreAllTold()
    {
        // All in one place of the file, which makes it small.
        const long Place = 16 << 20;
        Qcow2Builder image = new()
        {
            Size = 6L << 30,
            Clusters = [.. Enumerable.Range(0, 20_000).Select(i => GuestClusters.Data(i * 2, fill: 7, hostOffset: Place))],
        };
        string path = _directory.File("many.qcow2");
        image.Build().WriteTo(path);
        using LocalServer server = new(Open(path));
        Assert.Equal(await StatusMap.OfFile(path), await StatusMap.OfServer("base:allocation", server.Uri));
    }

    private static Qcow2Chain Open(string path, string? snapshot = null) => Qcow2Chain.Open(path, new Qcow2OpenOptions
    {
        Passphrase = _ => Encoding.UTF8.GetBytes(PinnedImages.Passphrase),
        Snapshot = snapshot,
    });

    private static async Task CompareWithQemuNbd(LocalServer server, params string[] image)
    {
        foreach (string context in Contexts)
        {
            string expected = await StatusMap.OfServer(context, ["--", "[", "qemu-nbd", "-r", "-A", .. image, "]"]);
            Assert.Equal(StatusMap.Cut(expected, server.Length), await StatusMap.OfServer(context, server.Uri));
        }
    }
}
