using Qcow2Stream.Tests.Differential;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Snapshots;

/// <summary>What the snapshots pin is what QEMU says: without this, a pin could hold a mistake.</summary>
public sealed class PinnedImagesAgainstQemu : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Images => [.. PinnedImages.Names, "ext4"];

    public void Dispose() => _scratch.Dispose();

    [QemuTheory]
    [MemberData(nameof(Images))]
    public async Task BytesAndJsonMap_AreThoseOfQemu(string image)
    {
        await using Qcow2ChainStream disk = PinnedImages.Open(image, _scratch);
        string path = disk.Chain.Layers[0].Path!;
        string raw = _scratch.File("disk.raw");

        // QEMU looks for a data file's name in the current directory, not beside the image.
        string directory = Path.GetDirectoryName(path)!;
        string[] arguments = PinnedImages.IsEncrypted(image)
            ? ["--object", $"secret,id=key,data={PinnedImages.Passphrase}", "--image-opts", $"driver=qcow2,encrypt.key-secret=key,file.filename={path}"]
            : [path];
        await Qemu.ImgIn(directory, ["convert", "-O", "raw", .. arguments, raw]);
        MemoryStream bytes = new();
        await disk.CopyToAsync(bytes);
        Assert.Equal(await File.ReadAllBytesAsync(raw), bytes.ToArray());

        string json = MapText.Json(disk.Chain);
        string withoutCompressed = json.Replace(", \"compressed\": true", "", StringComparison.Ordinal)
            .Replace(", \"compressed\": false", "", StringComparison.Ordinal);
        Assert.Equal(await Qemu.ImgIn(directory, ["map", "--output=json", .. arguments]), withoutCompressed);
    }
}
