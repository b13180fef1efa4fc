using System.IO.Compression;
using ZstdSharp;

namespace Qcow2Stream.Tests.Differential;

/// <summary>Puts the guest's disk together from its map and the host files alone.</summary>
internal sealed class HostBytes(IReadOnlyList<ImageLayer> layers)
{
    private readonly Dictionary<string, byte[]> _files = [];

    public byte[] Rebuild(IEnumerable<MapExtent> map, long length)
    {
        byte[] disk = new byte[length];
        foreach (MapExtent extent in map)
        {
            Span<byte> target = disk.AsSpan((int)extent.Start, (int)extent.Length);
            switch (extent.Kind)
            {
                case MapKind.Data:
                    // A file may end inside the last sector or cluster; zeros follow.
                    ReadOnlySpan<byte> data = FromFile(extent.HostPath!, extent.HostOffset!.Value, extent.Length);
                    data.CopyTo(target);
                    break;
                case MapKind.Compressed:
                    int clusterSize = layers[extent.Depth].Header!.ClusterSize;
                    Decompress(extent).AsSpan((int)(extent.Start % clusterSize), target.Length).CopyTo(target);
                    break;
                default:
                    break;
            }
        }

        return disk;
    }

    private ReadOnlySpan<byte> FromFile(string path, long hostOffset, long length)
    {
        if (!_files.TryGetValue(path, out byte[]? file))
        {
            _files[path] = file = File.ReadAllBytes(path);
        }

        Assert.InRange(hostOffset, 0, file.Length - 1);
        return file.AsSpan((int)hostOffset, (int)Math.Min(length, file.Length - hostOffset));
    }

    private byte[] Decompress(in MapExtent extent)
    {
        Qcow2Header header = layers[extent.Depth].Header!;
        ReadOnlySpan<byte> source = FromFile(extent.HostPath!, extent.HostOffset!.Value, extent.HostLength);
        Assert.Equal(extent.HostLength, source.Length);
        byte[] cluster = new byte[header.ClusterSize];
        using MemoryStream input = new(source.ToArray());
        using Stream decompressed = header.CompressionType == Qcow2CompressionType.Zstd
            ? new DecompressionStream(input)
            : new DeflateStream(input, CompressionMode.Decompress);
        decompressed.ReadExactly(cluster);
        return cluster;
    }
}
