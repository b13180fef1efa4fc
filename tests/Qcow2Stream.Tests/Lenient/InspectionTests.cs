using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Lenient;

/// <summary>What is reported of images that do not open.</summary>
public sealed class InspectionTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void GoodImage_TellsThatAllIsWell()
    {
        string[] lines = Lines(Repository.Image("chain-3.qcow2"));
        Assert.Contains("Image: opens as qcow2, a disk of 98304 bytes", lines);
        Assert.Equal(4, lines.Count(l => l.StartsWith("Chain: layer ", StringComparison.Ordinal)));
        Assert.Contains("Map: no damage; the data itself was not read", lines);
    }

    [Fact]
    public void BrokenHeader_IsShownWithTheReason()
    {
        byte[] image = File.ReadAllBytes(Repository.Image("zero.qcow2")).WriteU32(HeaderField.ClusterBits, 40);
        string[] lines = Lines(_scratch.Write("broken.qcow2", image));
        Assert.Contains("Header: cluster_bits              40", lines);
        Assert.Contains(lines, l => l.StartsWith("Image: can't be read: cluster_bits is 40; it must be from 9 to 21", StringComparison.Ordinal));
    }

    [Fact]
    public void HeaderCutShort_ShowsTheFieldsThatAreThere()
    {
        byte[] image = File.ReadAllBytes(Repository.Image("zero.qcow2"))[..30];
        string[] lines = Lines(_scratch.Write("short.qcow2", image));
        Assert.Contains("Header: cluster_bits              12", lines);
        Assert.Contains("Header: size                      (the file ends before)", lines);
    }

    [Fact]
    public void MissingBackingFile_StillTellsTheImageItself()
    {
        File.Copy(Repository.Image("chain-3.qcow2"), _scratch.File("alone.qcow2"));
        string[] lines = Lines(_scratch.File("alone.qcow2"));
        Assert.Contains("Image: opens as qcow2, a disk of 98304 bytes", lines);
        Assert.Contains(lines, l => l.StartsWith("Chain: can't be read: backing file 'chain-2.qcow2' is not opened: it does not exist", StringComparison.Ordinal));
    }

    [Fact]
    public void NoImageAtAll_IsSaidToBeRaw()
    {
        string[] lines = Lines(_scratch.Write("text", "hello"u8.ToArray()));
        Assert.Contains("Image: opens as raw, a disk of 512 bytes", lines);
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
        string[] spots = [.. Lines(path).Where(l => l.StartsWith("Map: ", StringComparison.Ordinal))];
        Assert.InRange(spots.Length, 2, 30);
        Assert.All(spots[..^1], s => Assert.Contains("damaged", s, StringComparison.Ordinal));
        Assert.Equal("Map: and maybe more", spots[^1]);
    }

    /// <summary>Each step is returned as soon as it is known, and nothing is done beyond it.</summary>
    [Fact]
    public void Steps_AreLazy()
    {
        string path = _scratch.Write("lazy.qcow2", File.ReadAllBytes(Repository.Image("zero.qcow2")));
        using IEnumerator<InspectionStep> steps = ImageInspection.Inspect(path).GetEnumerator();
        Assert.True(steps.MoveNext());
        Assert.Equal(InspectionStage.File, steps.Current.Stage);

        // The header is read once its lines are asked for, and not before.
        File.WriteAllText(path, "gone");
        Assert.True(steps.MoveNext());
        Assert.Equal(InspectionStage.Header, steps.Current.Stage);
        Assert.IsType<Qcow2FormatException>(steps.Current.Error);
    }

    [Fact]
    public async Task AsyncSteps_AreTheSame()
    {
        List<InspectionStep> steps = [];
        await foreach (InspectionStep step in ImageInspection.InspectAsync(Repository.Image("chain-3.qcow2")))
        {
            steps.Add(step);
        }

        Assert.Equal(ImageInspection.Inspect(Repository.Image("chain-3.qcow2")), steps);
    }

    [Fact]
    public void Source_IsClosedUnlessItIsLent()
    {
        TrackedStream owned = new(File.ReadAllBytes(Repository.Image("zero.qcow2")));
        TrackedStream lent = new(File.ReadAllBytes(Repository.Image("zero.qcow2")));
        Assert.Contains(ImageInspection.Inspect(owned), step => step.Stage == InspectionStage.Map);
        Assert.Contains(ImageInspection.Inspect(lent, new Qcow2OpenOptions { LeaveOpen = true }), step => step.Stage == InspectionStage.Map);
        Assert.True(owned.IsDisposed);
        Assert.False(lent.IsDisposed);
    }

    [Fact]
    public void Cancelled_Ends()
    {
        CancellationToken cancelled = new(canceled: true);
        Assert.ThrowsAny<OperationCanceledException>(
            () => ImageInspection.Inspect(Repository.Image("zero.qcow2"), cancellationToken: cancelled).Count());
    }

    private static string[] Lines(string path) => [.. ImageInspection.Inspect(path).Select(step => $"{step.Stage}: {step.Text}")];
}
