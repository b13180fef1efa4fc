using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

/// <summary>An image in QEMU's first format with one entry of each kind, and the positions of what can be damaged.</summary>
internal sealed class Qcow1Image
{
    public const int ClusterBits = 9;
    public const int L2Bits = 6;
    public const int BackingOffset = 8;
    public const int BackingLength = 16;
    public const int SizeField = 24;
    public const int ClusterBitsField = 32;
    public const int L2BitsField = 33;
    public const int CryptField = 36;
    public const int L1OffsetField = 40;

    private const int ClusterSize = 1 << ClusterBits;
    private const int L2Coverage = ClusterSize << L2Bits;

    public required byte[] Bytes { get; init; }

    /// <summary>The disk's content, without a backing file.</summary>
    public required byte[] Content { get; init; }

    public required int L1Offset { get; init; }

    /// <summary>Where the entry of a data cluster is, the next is its neighbour's.</summary>
    public required int DataEntry { get; init; }

    public required int CompressedEntry { get; init; }

    /// <summary>Two data clusters, a hole, a compressed cluster, a hole over the end of the table, a data cluster: 3 tables' worth.</summary>
    public static Qcow1Image Make(string? backingFile = null)
    {
        byte[] name = Encoding.UTF8.GetBytes(backingFile ?? "");
        int l1Offset = (48 + name.Length + 7) & ~7;
        byte[] bytes = new byte[ClusterSize * 8];
        byte[] content = new byte[3 * L2Coverage];
        bytes.WriteU32(0, 0x514649FB)
            .WriteU32(4, 1)
            .WriteU64(SizeField, (ulong)content.Length)
            .WriteU8(ClusterBitsField, ClusterBits)
            .WriteU8(L2BitsField, L2Bits)
            .WriteU64(L1OffsetField, (ulong)l1Offset);
        if (name.Length > 0)
        {
            bytes.WriteU64(BackingOffset, 48).WriteU32(BackingLength, (uint)name.Length).WriteBytes(48, name);
        }

        // Clusters 1 and 2 of the file: the L2 tables; 3, 4, 5: data; 6: compressed data, from an odd byte on.
        const int FirstTable = ClusterSize;
        const int LastTable = 2 * ClusterSize;
        bytes.WriteU64(l1Offset, FirstTable).WriteU64(l1Offset + 16, LastTable);
        for (int cluster = 0; cluster < 2; cluster++)
        {
            Fill(content.AsSpan(cluster * ClusterSize, ClusterSize), cluster + 1);
            content.AsSpan(cluster * ClusterSize, ClusterSize).CopyTo(bytes.AsSpan((3 + cluster) * ClusterSize));
            bytes.WriteU64(FirstTable + (cluster * 8), (ulong)((3 + cluster) * ClusterSize));
        }

        content.AsSpan(5 * ClusterSize, ClusterSize).Fill(0x55);
        byte[] compressed = ClusterCompressor.Compress(content[(5 * ClusterSize)..(6 * ClusterSize)], CompressionType.Zlib);
        const int CompressedAt = (6 * ClusterSize) + 3;
        bytes.WriteBytes(CompressedAt, compressed)
            .WriteU64(FirstTable + 40, (1UL << 63) | ((ulong)compressed.Length << (63 - ClusterBits)) | CompressedAt);

        Fill(content.AsSpan((2 * L2Coverage) + (7 * ClusterSize), ClusterSize), 9);
        content.AsSpan((2 * L2Coverage) + (7 * ClusterSize), ClusterSize).CopyTo(bytes.AsSpan(5 * ClusterSize));
        bytes.WriteU64(LastTable + 56, 5 * ClusterSize);

        // The disk ends with that cluster.
        content = content[..((2 * L2Coverage) + (8 * ClusterSize))];
        bytes.WriteU64(SizeField, (ulong)content.Length);
        return new Qcow1Image
        {
            Bytes = bytes.Truncate(CompressedAt + compressed.Length),
            Content = content,
            L1Offset = l1Offset,
            DataEntry = FirstTable,
            CompressedEntry = FirstTable + 40,
        };
    }

    private static void Fill(Span<byte> cluster, int seed)
    {
        for (int i = 0; i < cluster.Length; i++)
        {
            cluster[i] = (byte)((i * seed) + seed);
        }
    }
}
