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

    /// <summary>Forty directories, each twice in the one before: 2^40 paths.</summary>
    [Fact]
    public void DirectoryThatIsInTwoOthers_IsEnteredOnce()
    {
        FakeEntry tree = FakeEntry.File("end", "");
        for (int i = 0; i < 40; i++)
        {
            FakeEntry a = new("a", GuestEntryKind.Directory) { Id = i };
            FakeEntry b = new("b", GuestEntryKind.Directory) { Id = i };
            a.Entries.Add(tree);
            b.Entries.Add(tree);
            tree = FakeEntry.Directory("", a, b);
        }

        string[] paths = Paths(tree);
        Assert.InRange(paths.Length, 40, 200);
        Assert.Equal(40, _faults.Count);
        Assert.All(_faults, fault => Assert.Equal("the directory has another name too, which none may have", fault.Message));
    }

    /// <summary>Two thousand directories with names of 255 letters: each level would keep its own path, a gigabyte in all.</summary>
    [Fact]
    public void PathThatIsTooLong_EndsThere()
    {
        FakeEntry tree = FakeEntry.File("end", "");
        for (int i = 0; i < 2000; i++)
        {
            tree = FakeEntry.Directory(new string('n', 255), tree);
        }

        Assert.Equal(64, Paths(FakeEntry.Directory("root", tree)).Length);
        Assert.Equal("what is in it has a path of more than 16384 characters", Assert.Single(_faults).Message);
    }

    [Fact]
    public void DirectoryOfTooManyEntries_IsReadToTheLimit()
    {
        FakeEntry root = new("root", GuestEntryKind.Directory, new GuestOptions { MaxDirectoryEntries = 3 });
        root.Entries.AddRange(Enumerable.Range(0, 5).Select(i => FakeEntry.File($"{i}", "")));
        Assert.Equal(["/0", "/1", "/2"], Paths(root));
        Assert.Equal("it has more than 3 entries: GuestOptions.MaxDirectoryEntries allows more", Assert.Single(_faults).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GuestOptions { MaxDirectoryEntries = 0 });
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
    public void WalkOfOneLevel_ListsNamesAlone()
    {
        FakeEntry root = FakeEntry.Directory(
            "root",
            FakeEntry.Directory("b", FakeEntry.Directory("below", FakeEntry.File("deep", ""))),
            new FakeEntry("a", GuestEntryKind.Special) { KindFault = new GuestException("its inode is damaged") });
        Assert.Equal(["/a", "/b"], root.EnumerateTree(_faults.Add, maxLevels: 1).Select(below => below.Path));
        Assert.Empty(_faults);
        Assert.Equal(["/b", "/b/below"], root.EnumerateTree(_faults.Add, maxLevels: 2).Select(below => below.Path));
        Assert.Equal("/a", Assert.Single(_faults).Path);
        Assert.Throws<ArgumentOutOfRangeException>(() => root.EnumerateTree(maxLevels: 0));
    }

    [Fact]
    public void Walk_IsLazyAndEndsWithItsToken()
    {
        using CancellationTokenSource source = new();
        FakeEntry root = FakeEntry.Directory("root", [.. Enumerable.Range(0, 100).Select(i => FakeEntry.File($"{i:d3}", ""))]);
        int seen = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (GuestTreeEntry entry in root.EnumerateTree(_faults.Add, cancellationToken: source.Token))
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
