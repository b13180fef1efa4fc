namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>
/// One line of an image's description: what guest clusters <see cref="First"/> and following hold.
/// Clusters that no line names are unallocated.
/// </summary>
internal sealed record GuestClusters
{
    private GuestClusters(GuestClusterKind kind, long first)
    {
        Kind = kind;
        First = first;
    }

    public GuestClusterKind Kind { get; }

    public long First { get; }

    public int Count { get; private init; } = 1;

    public byte Fill { get; private init; }

    public byte[]? Bytes { get; private init; }

    /// <summary>Where the first cluster lies, or null for the next free place.</summary>
    public long? HostOffset { get; private init; }

    /// <summary>Compressed clusters: how many bytes stay unused before this one, which moves it to odd offsets.</summary>
    public int Skip { get; private init; }

    /// <summary>Compressed clusters: written as it is, in place of what compressing <see cref="Bytes"/> gives.</summary>
    public byte[]? Payload { get; private init; }

    /// <summary>Compressed clusters: the descriptor's sector field (additional sectors) if it is to be wrong.</summary>
    public int? AdditionalSectors { get; private init; }

    public ulong Entry { get; private init; }

    /// <summary>Extended L2 entries: allocated subclusters in the low half, zero subclusters in the high half.</summary>
    public ulong Bitmap { get; private init; }

    public static GuestClusters Data(long first, byte fill, int count = 1, long? hostOffset = null) =>
        new(GuestClusterKind.Data, first) { Fill = fill, Count = count, HostOffset = hostOffset };

    /// <summary>As many clusters as the bytes need; the rest of the last one is zero.</summary>
    public static GuestClusters Data(long first, byte[] bytes, int count = 1, long? hostOffset = null) =>
        new(GuestClusterKind.Data, first) { Bytes = bytes, Count = count, HostOffset = hostOffset };

    public static GuestClusters Zero(long first, int count = 1) => new(GuestClusterKind.Zero, first) { Count = count };

    /// <summary>Reads as zeros, though a host cluster full of <paramref name="fill"/> is allocated.</summary>
    public static GuestClusters ZeroAllocated(long first, int count = 1, byte fill = 0xEE, long? hostOffset = null) =>
        new(GuestClusterKind.ZeroAllocated, first) { Fill = fill, Count = count, HostOffset = hostOffset };

    public static GuestClusters Compressed(long first, byte fill, int count = 1, int skip = 0, long? hostOffset = null) =>
        new(GuestClusterKind.Compressed, first) { Fill = fill, Count = count, Skip = skip, HostOffset = hostOffset };

    public static GuestClusters Compressed(long first, byte[] bytes, int count = 1, int skip = 0, long? hostOffset = null) =>
        new(GuestClusterKind.Compressed, first) { Bytes = bytes, Count = count, Skip = skip, HostOffset = hostOffset };

    public static GuestClusters CompressedPayload(
        long index, byte[] payload, int skip = 0, long? hostOffset = null, int? additionalSectors = null) =>
        new(GuestClusterKind.Compressed, index)
        {
            Payload = payload,
            Skip = skip,
            HostOffset = hostOffset,
            AdditionalSectors = additionalSectors,
        };

    /// <summary>
    /// One cluster under extended L2 entries. It gets a host cluster if any subcluster is allocated, or if
    /// <paramref name="withHostCluster"/> says so.
    /// </summary>
    public static GuestClusters Subclusters(
        long index, uint allocated, uint zero, byte fill, bool withHostCluster = false, long? hostOffset = null) =>
        new(GuestClusterKind.Subclusters, index)
        {
            Bitmap = ((ulong)zero << 32) | allocated,
            Fill = fill,
            Count = allocated != 0 || withHostCluster || hostOffset is not null ? 1 : 0,
            HostOffset = hostOffset,
        };

    /// <summary>The L2 entry as it is; nothing is stored for it, and its reference is not counted.</summary>
    public static GuestClusters RawEntry(long index, ulong entry, ulong bitmap = 0) =>
        new(GuestClusterKind.RawEntry, index) { Entry = entry, Bitmap = bitmap };

    /// <summary>The guest's bytes of one cluster of this line.</summary>
    public byte[] Content(int index, int clusterSize)
    {
        byte[] content = new byte[clusterSize];
        if (Bytes is null)
        {
            content.AsSpan().Fill(Fill);
        }
        else
        {
            ReadOnlySpan<byte> rest = Bytes.AsSpan(Math.Min(Bytes.Length, index * clusterSize));
            rest[..Math.Min(rest.Length, clusterSize)].CopyTo(content);
        }

        return content;
    }
}
