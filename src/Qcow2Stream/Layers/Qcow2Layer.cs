using Qcow2Stream.Images;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>A qcow2 image, version 2 or 3: its active disk, or a snapshot's.</summary>
internal sealed class Qcow2Layer(
    Qcow2Image image, DiskTables disk, DecompressedClusters decompressed, long cacheBytes, int maxZstdWindow, LayerKey? key)
    : ClusterLayer(
        image.File,
        new Qcow2Translator(image, disk.L1, disk.Length, cacheBytes),
        new DataClusters(image, image.ClusterFile, key),
        new CompressedClusters(image.File, image.Header.ClusterSize, image.Header.CompressionType, decompressed, maxZstdWindow),
        key)
{
    public override ImageFormat Format => ImageFormat.Qcow2;

    public override Qcow2Header Header => Image.Header;

    public override TableFile Tables => Image;

    public override HostFile ClusterFile => Image.ClusterFile;

    public Qcow2Image Image { get; } = image;

    public DiskTables Disk { get; } = disk;
}
