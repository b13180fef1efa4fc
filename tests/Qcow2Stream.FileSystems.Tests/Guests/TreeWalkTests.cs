namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>A walk over trees that no tool would make: it reports what is wrong, continues, and ends.</summary>
public sealed class TreeWalkTests
{
    private readonly List<GuestFault> _faults = [];

    [Fact]
    public void Walk_ReportsFaultsAndGoesOn()
    {
        FakeEntry broken = new("broken", GuestEntryKind.Directory) { Fault = new GuestException("the directory is damaged") };
        broken.Entries.Add(FakeEntry.File("first", "1"));
        FakeEntry root = FakeEntry.Directory("root", FakeEntry.File("z", "last"), broken);
        Assert.Equal(["/broken", "/broken/first", "/z"], Paths(root));
        GuestFault fault = Assert.Single(_faults);
        Assert.Equal(("/broken", "the directory is damaged"), (fault.Path, fault.Message));
        Assert.Same(broken.Fault, fault.Exception);
    }

    [Fact]
    public void WalkThatReportsToNobody_ThrowsTheFirstFault()
    {
        FakeEntry broken = new("broken", GuestEntryKind.Directory) { Fault = new GuestException("the directory is damaged") };
        IEnumerator<GuestTreeEntry> walk = FakeEntry.Directory("root", FakeEntry.File("a", ""), broken).EnumerateTree().GetEnumerator();
        Assert.True(walk.MoveNext());
        Assert.True(walk.MoveNext());
        Assert.Same(broken.Fault, Assert.Throws<GuestException>(() => walk.MoveNext()));
    }

    [Fact]
    public void FaultOfTheStart_HasNoPath()
    {
        FakeEntry root = new("root", GuestEntryKind.Directory) { Fault = new GuestException("the directory is damaged") };
        Assert.Empty(Paths(root));
        Assert.Equal("", Assert.Single(_faults).Path);
        _faults.Clear();
        Assert.Empty(Paths(FakeEntry.File("file", "1")));
        Assert.Equal(("", "it is a file"), (Assert.Single(_faults).Path, _faults[0].Message));
    }

    [Fact]
    public void DirectoryThatHoldsItself_EndsThere()
    {
        FakeEntry loop = new("loop", GuestEntryKind.Directory) { Id = 12 };
        loop.Entries.Add(FakeEntry.Directory("between", loop));
        Assert.Equal(["/loop", "/loop/between", "/loop/between/loop"], Paths(FakeEntry.Directory("root", loop)));
        Assert.Equal(("/loop/between/loop", "the directory holds itself"), (_faults[0].Path, _faults[0].Message));
    }

    [Fact]
    public void DirectoriesWithoutIdentity_AreFollowedSoDeep()
    {
        FakeEntry loop = new("d", GuestEntryKind.Directory);
        loop.Entries.Add(loop);
        Assert.Equal(2048, Paths(loop).Length);
        Assert.Equal("directories are nested more than 2048 deep", Assert.Single(_faults).Message);
    }

    [Fact]
    public void Walk_IsLazyAndEndsWithItsToken()
    {
        using CancellationTokenSource source = new();
        FakeEntry root = FakeEntry.Directory("root", [.. Enumerable.Range(0, 100).Select(i => FakeEntry.File($"{i:d3}", ""))]);
        int seen = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (GuestTreeEntry entry in root.EnumerateTree(_faults.Add, source.Token))
            {
                if (++seen == 10)
                {
                    source.Cancel();
                }
            }
        });
        Assert.Equal(10, seen);
        Assert.Empty(_faults);
    }

    [Theory]
    [InlineData(GuestEntryKind.Directory, "it is a directory")]
    [InlineData(GuestEntryKind.Link, "it is a link")]
    [InlineData(GuestEntryKind.Special, "it is a device, pipe or socket")]
    public void ContentOfNoFile_IsRefused(GuestEntryKind kind, string message)
    {
        FakeEntry entry = new("x", kind);
        Assert.Equal(message, Assert.Throws<GuestException>(() => entry.Open()).Message);
        Assert.Equal(message, Assert.Throws<GuestException>(() => entry.CopyContentTo(Stream.Null)).Message);
    }

    private string[] Paths(GuestEntry root) => [.. root.EnumerateTree(_faults.Add).Select(below => below.Path)];
}
