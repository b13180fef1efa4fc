using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Lenient;

/// <summary>What is told of images that do not open.</summary>
public sealed class InspectionTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void GoodImage_TellsThatAllIsWell()
    {
        string[] lines = [.. ImageInspection.Inspect(Repository.Image("chain-3.qcow2"))];
        Assert.Contains("image alone: opens as qcow2, a disk of 98304 bytes", lines);
        Assert.Equal(4, lines.Count(l => l.StartsWith("chain: layer ", StringComparison.Ordinal)));
        Assert.Contains("map: no damage; the data itself was not read", lines);
    }

    [Fact]
    public void BrokenHeader_IsShownWithTheReason()
    {
        byte[] image = File.ReadAllBytes(Repository.Image("zero.qcow2")).WriteU32(HeaderField.ClusterBits, 40);
        string[] lines = [.. ImageInspection.Inspect(_scratch.Write("broken.qcow2", image))];
        Assert.Contains("header: cluster_bits              40", lines);
        Assert.Contains(lines, l => l.StartsWith("image alone: can't be read: cluster_bits is 40; it must be from 9 to 21", StringComparison.Ordinal));
    }

    [Fact]
    public void HeaderCutShort_ShowsTheFieldsThatAreThere()
    {
        byte[] image = File.ReadAllBytes(Repository.Image("zero.qcow2"))[..30];
        string[] lines = [.. ImageInspection.Inspect(_scratch.Write("short.qcow2", image))];
        Assert.Contains("header: cluster_bits              12", lines);
        Assert.Contains("header: size                      (the file ends before)", lines);
    }

    [Fact]
    public void MissingBackingFile_StillTellsTheImageItself()
    {
        File.Copy(Repository.Image("chain-3.qcow2"), _scratch.File("alone.qcow2"));
        string[] lines = [.. ImageInspection.Inspect(_scratch.File("alone.qcow2"))];
        Assert.Contains("image alone: opens as qcow2, a disk of 98304 bytes", lines);
        Assert.Contains(lines, l => l.StartsWith("chain: can't be read: backing file 'chain-2.qcow2' is not opened: it does not exist", StringComparison.Ordinal));
    }

    [Fact]
    public void NoImageAtAll_IsSaidToBeRaw()
    {
        string[] lines = [.. ImageInspection.Inspect(_scratch.Write("text", "hello"u8.ToArray()))];
        Assert.Contains("image alone: opens as raw, a disk of 512 bytes", lines);
    }

    [Fact]
    public void CutImage_TellsTheSpotsAndStopsAfterSome()
    {
        const int Clusters = 100;
        Qcow2Image image = new Qcow2Builder
        {
            ClusterBits = 9,
            Size = Clusters * 1024,
            Clusters = [.. Enumerable.Range(0, Clusters).Select(i => GuestClusters.Data(2 * i, 0x33))],
        }.Build();
        string path = _scratch.Write("cut.qcow2", image.ToBytes().AsSpan(0, (int)image.HostOffsetOf(0)!));
        string[] spots = [.. ImageInspection.Inspect(path).Where(l => l.StartsWith("map: ", StringComparison.Ordinal))];
        Assert.InRange(spots.Length, 2, 30);
        Assert.All(spots[..^1], s => Assert.Contains("damaged", s, StringComparison.Ordinal));
        Assert.Equal("map: and maybe more", spots[^1]);
    }
}
