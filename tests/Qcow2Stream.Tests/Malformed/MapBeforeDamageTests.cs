using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>A map returns what it knows before it comes to a broken entry: the error comes after the last good line.</summary>
public sealed class MapBeforeDamageTests
{
    [Fact]
    public void LastGoodExtent_ComesBeforeTheError()
    {
        const int ClusterSize = 4096;
        byte[] image = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = 8 * ClusterSize,
            Clusters = [GuestClusters.Zero(0, count: 2), GuestClusters.RawEntry(2, 0x201), GuestClusters.Zero(3)],
        }.Build().ToBytes();
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image));
        MemoryStream text = new();

        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => chain.Map().WriteText(text));

        Assert.Equal(2 * ClusterSize, error.GuestOffset);
        Assert.Equal("0 8192\n", Encoding.UTF8.GetString(text.ToArray()));
    }
}
