using Qcow2Stream.Images;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>An image in QEMU's first format.</summary>
internal sealed class Qcow1Layer(
    Qcow1Image image, BackingReference? backing, DecompressedClusters decompressed, long cacheBytes, LayerKey? key)
    : ClusterLayer(
        image.File,
        new Qcow1Translator(image, cacheBytes),
        new DataClusters(image, image.File, key),
        new CompressedClusters(image.File, image.Header.ClusterSize, Qcow2CompressionType.Zlib, decompressed),
        key)
{
    public override ImageFormat Format => ImageFormat.Qcow1;

    public override int? ClusterSize => image.Header.ClusterSize;

    public override TableFile Tables => image;

    public override BackingReference? Backing => backing;
}
