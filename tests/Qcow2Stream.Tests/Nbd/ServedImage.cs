using Qcow2Stream.Tests.Infrastructure;
using static Qcow2Stream.Tests.Infrastructure.GuestClusters;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>A disk of 48 MiB for raw clients: data, holes, and two places that can't be read.</summary>
internal static class ServedImage
{
    public const int ClusterSize = 64 << 10;
    public const int DamagedCluster = 12;
    public const int DamagedEntry = 700;
    public const int Clusters = 768;
    public const int Length = Clusters * ClusterSize;

    private static readonly Qcow2Builder Description = new()
    {
        Size = Length,
        Clusters =
        [
            Data(0, 1, count: 4), Zero(8, count: 2), Compressed(10, 2), CompressedPayload(DamagedCluster, [0xff, 0xff, 0xff, 0xff]),
            Data(13, 3, count: 200), RawEntry(DamagedEntry, 0x8000_0000_0000_0200),
        ],
    };

    public static byte[] Bytes { get; } = Description.Build().ToBytes();

    public static Qcow2Chain Open() => Qcow2Chain.Open(new MemoryStream(Bytes));
}
