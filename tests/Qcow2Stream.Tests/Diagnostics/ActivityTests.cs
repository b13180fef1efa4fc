using System.Diagnostics;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Diagnostics;

/// <summary>What takes a while is an activity and a duration, with what it was about and without names of files.</summary>
[Collection(nameof(DiagnosticsCollection))]
public sealed class ActivityTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly Recording _recording = new();

    public static TheoryData<bool> Ways => [false, true];

    public void Dispose()
    {
        _recording.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("chain-3.qcow2", "qcow2", 4, false)]
    [InlineData("chain-3.qcow2", "qcow2", 4, true)]
    [InlineData("chain-0.raw", "raw", 1, false)]
    public async Task Opening_TellsFormatAndLayers(string name, string format, int layers, bool async)
    {
        string path = Repository.Image(name);
        (async ? await Qcow2Chain.OpenAsync(path) : Qcow2Chain.Open(path)).Dispose();
        Activity activity = Assert.Single(_recording.Activities);
        Assert.Equal((Qcow2Diagnostics.OpenActivity, ActivityStatusCode.Unset), (activity.OperationName, activity.Status));
        Assert.Equal(
            [new(Qcow2Diagnostics.ImageFormatTag, format), new(Qcow2Diagnostics.ImageLayersTag, layers)],
            activity.TagObjects);
        Assert.Equal(
            [new(Qcow2Diagnostics.ImageFormatTag, format)],
            Assert.Single(_recording.Durations(Qcow2Diagnostics.OpenDuration)));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task OpeningThatFails_TellsTheKindOfErrorAndNoName(bool async)
    {
        string path = _directory.File("top.qcow2");
        new Qcow2Builder { Size = 1 << 20, BackingFile = "secret.raw", BackingFormat = "raw" }.Build().WriteTo(path);
        await Assert.ThrowsAsync<NamedFileException>(async () =>
            (async ? await Qcow2Chain.OpenAsync(path) : Qcow2Chain.Open(path)).Dispose());
        AssertFailed(Qcow2Diagnostics.OpenActivity, Qcow2Diagnostics.OpenDuration, typeof(NamedFileException));
    }

    /// <summary>The copy's own name is in no activity either, nor in what goes with one.</summary>
    [Fact]
    public void NoActivity_HasThePathOfAFile()
    {
        string path = SampleDisk.WriteChain(_directory, out byte[] expected);
        using (var chain = Qcow2Chain.Open(path))
        using (var other = Qcow2Chain.Open(path))
        using (FileStream copy = File.Create(_directory.File("copy.raw")))
        {
            chain.CopySparseTo(copy);
            Assert.Null(chain.FindDifference(other));
            Assert.Equal(expected.Length, copy.Length);
        }

        using (var check = ImageCheck.Open(path))
        {
            Assert.NotNull(check.Run().ToList());
        }

        Assert.Equal(5, _recording.Activities.Count);
        Assert.All(_recording.Activities, activity =>
        {
            Assert.Equal(ActivityKind.Internal, activity.Kind);
            Assert.Null(activity.StatusDescription);
            Assert.Empty(activity.Events);
            Assert.Empty(activity.Baggage);
            string told = $"{activity.DisplayName} {string.Join(' ', activity.TagObjects.Select(t => $"{t.Key}={t.Value}"))}";
            Assert.DoesNotContain(_directory.Path, told, StringComparison.Ordinal);
            Assert.DoesNotContain("top", told, StringComparison.Ordinal);
            Assert.DoesNotContain("base", told, StringComparison.Ordinal);
        });
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Copies_AreTimed(bool async)
    {
        using Qcow2Chain chain = SampleDisk.Single().Open().Chain;
        using MemoryStream whole = new();
        using MemoryStream sparse = new();
        if (async)
        {
            await chain.CopyToAsync(0, chain.Length, whole);
            await chain.CopySparseToAsync(sparse);
        }
        else
        {
            chain.CopyTo(0, chain.Length, whole);
            chain.CopySparseTo(sparse);
        }

        Assert.Equal(2, _recording.Activities.Count(a => a.OperationName == Qcow2Diagnostics.CopyActivity));
        Assert.All(_recording.Durations(Qcow2Diagnostics.CopyDuration), Assert.Empty);
        Assert.Equal(2, _recording.Durations(Qcow2Diagnostics.CopyDuration).Count);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task CopyThatFails_TellsTheKindOfError(bool async)
    {
        using Qcow2Chain chain = SampleDisk.Single().Open().Chain;
        using MemoryStream tooSmall = new(new byte[512]);
        await Assert.ThrowsAsync<NotSupportedException>(async () =>
        {
            if (async)
            {
                await chain.CopyToAsync(0, chain.Length, tooSmall);
            }
            else
            {
                chain.CopyTo(0, chain.Length, tooSmall);
            }
        });
        AssertFailed(Qcow2Diagnostics.CopyActivity, Qcow2Diagnostics.CopyDuration, typeof(NotSupportedException));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Comparisons_AreTimed(bool async)
    {
        using Qcow2Chain one = SampleDisk.Single().Open().Chain;
        using Qcow2Chain other = SampleDisk.Single().Open().Chain;
        Assert.Null(async ? await one.FindDifferenceAsync(other) : one.FindDifference(other));
        Assert.Equal(Qcow2Diagnostics.CompareActivity, _recording.Activities.Last().OperationName);
        Assert.Empty(Assert.Single(_recording.Durations(Qcow2Diagnostics.CompareDuration)));
    }

    [Fact]
    public void Comparison_OfAChainThatIsClosedFails()
    {
        using Qcow2Chain one = SampleDisk.Single().Open().Chain;
        Qcow2Chain other = SampleDisk.Single().Open().Chain;
        other.Dispose();
        Assert.Throws<ObjectDisposedException>(() => one.FindDifference(other));
        AssertFailed(Qcow2Diagnostics.CompareActivity, Qcow2Diagnostics.CompareDuration, typeof(ObjectDisposedException));
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(1)]
    public void Checks_AreTimedAsFarAsTheyGo(int findings)
    {
        using ImageCheck check = OpenDamaged();
        Assert.NotEmpty(check.Run().Take(findings));
        Assert.Equal(
            (Qcow2Diagnostics.CheckActivity, ActivityStatusCode.Unset),
            (Assert.Single(_recording.Activities).OperationName, _recording.Activities.Single().Status));
        Assert.Empty(Assert.Single(_recording.Durations(Qcow2Diagnostics.CheckDuration)));
    }

    [Fact]
    public void Check_IsNotTheCallersActivityBetweenTwoFindings()
    {
        using ImageCheck check = OpenDamaged();
        using Activity callers = new Activity("caller's").Start();
        Activity? inner = null;
        foreach (CheckFinding finding in check.Run())
        {
            Assert.Same(inner ?? callers, Activity.Current);
            inner ??= new Activity("found").Start();
        }

        Assert.NotNull(inner);
        Assert.Same(inner, Activity.Current);
        Assert.Equal(callers.SpanId, Assert.Single(_recording.Activities).ParentSpanId);
        inner.Stop();
        Assert.Same(callers, Activity.Current);
    }

    [Fact]
    public void CheckThatFails_TellsTheKindOfError()
    {
        using ImageCheck check = OpenDamaged();
        check.Dispose();
        Assert.Throws<ObjectDisposedException>(() => check.Run().Count());
        AssertFailed(Qcow2Diagnostics.CheckActivity, Qcow2Diagnostics.CheckDuration, typeof(ObjectDisposedException));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task CallersActivity_IsTheParentAndStaysCurrent(bool async)
    {
        using Activity callers = new Activity("caller's").Start();
        (async ? await Qcow2Chain.OpenAsync(Repository.Image("chain-3.qcow2")) : Qcow2Chain.Open(Repository.Image("chain-3.qcow2"))).Dispose();
        Assert.Same(callers, Activity.Current);
        Assert.Equal(callers.SpanId, Assert.Single(_recording.Activities).ParentSpanId);
    }

    /// <summary>An image with two findings and more: L2 entries that point at the header.</summary>
    private static ImageCheck OpenDamaged()
    {
        Qcow2Image image = SampleDisk.DataThenCompressed();
        byte[] bytes = image.ToBytes();
        for (int cluster = 0; cluster < 4; cluster++)
        {
            bytes.WriteU64((int)image.L2EntryOffset(cluster), 1UL << 63);
        }

        return ImageCheck.Open(new MemoryStream(bytes));
    }

    private void AssertFailed(string activity, string histogram, Type error)
    {
        Activity failed = Assert.Single(_recording.Activities, a => a.OperationName == activity);
        Assert.Equal((ActivityStatusCode.Error, null), (failed.Status, failed.StatusDescription));
        Assert.Equal([new(Qcow2Diagnostics.ErrorTypeTag, error.FullName)], failed.TagObjects);
        Assert.Equal([new(Qcow2Diagnostics.ErrorTypeTag, error.FullName)], Assert.Single(_recording.Durations(histogram)));
    }
}
