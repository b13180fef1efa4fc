using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>A copy says how far it is, ends when it is told to, and says what it did.</summary>
public sealed class GuestCopyProgressTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Progress_EndsAtTheTotal()
    {
        using Guest guest = GuestImages.Open("ext4", out _);
        using GuestMatch match = guest.Find("/sizes");
        Recorder progress = new();
        GuestCopyResult result = match.Entry.CopyTo(_scratch.File("out"), progress: progress);
        Assert.NotEmpty(progress.Reports);
        long total = match.Entry.EnumerateTree().Sum(below => below.Entry.Length);
        Assert.All(progress.Reports, report => Assert.Equal(total, report.Total));
        Assert.Equal(progress.Reports.Select(report => report.Done).Order(), progress.Reports.Select(report => report.Done));
        Assert.Equal((total, total), (progress.Reports[^1].Done, result.Bytes));
    }

    [Fact]
    public void ProgressOfOneFile_CountsIt()
    {
        FakeEntry file = new("file", GuestEntryKind.File) { Bytes = new byte[(2 << 20) + 5] };
        Recorder progress = new();
        file.CopyTo(_scratch.File("file"), progress: progress);
        WorkProgress[] expected = [new(1 << 20, file.Length), new(2 << 20, file.Length), new(file.Length, file.Length)];
        Assert.Equal(expected, progress.Reports);
        progress.Reports.Clear();
        file.CopyContentTo(Stream.Null, progress);
        Assert.Equal(expected, progress.Reports);
    }

    /// <summary>In the middle of the second file: the first stays, of the second nothing does.</summary>
    [Fact]
    public void Cancellation_LeavesNoHalfFile()
    {
        using CancellationTokenSource source = new();
        FakeEntry root = FakeEntry.Directory(
            "root", FakeEntry.File("a", "whole"), new FakeEntry("b", GuestEntryKind.File) { Bytes = new byte[3 << 20] }, FakeEntry.File("c", "never"));
        Recorder progress = new() { OnReport = report => Cancel(source, report.Done > 5) };
        Assert.ThrowsAny<OperationCanceledException>(() => root.CopyTo(_scratch.File("out"), progress: progress, cancellationToken: source.Token));
        Assert.Equal([_scratch.File("out/a")], Directory.GetFileSystemEntries(_scratch.File("out")));
        Assert.ThrowsAny<OperationCanceledException>(() => root.CopyTo(_scratch.File("other"), cancellationToken: source.Token));
        Assert.False(Directory.Exists(_scratch.File("other")));
        Assert.ThrowsAny<OperationCanceledException>(() => root.Entries[1].CopyContentTo(Stream.Null, cancellationToken: source.Token));
    }

    [Fact]
    public void FaultThatNobodyHears_EndsTheCopy()
    {
        FakeEntry shorter = new("b", GuestEntryKind.File) { Bytes = [1, 2, 3], Declared = 5 };
        FakeEntry root = FakeEntry.Directory("root", FakeEntry.File("a", "whole"), shorter, FakeEntry.File("c", "never"));
        Assert.Equal("only 3 of 5 bytes can be read", Assert.Throws<GuestException>(() => root.CopyTo(_scratch.File("out"))).Message);
        Assert.Equal([_scratch.File("out/a")], Directory.GetFileSystemEntries(_scratch.File("out")));
    }

    [Fact]
    public void Result_CountsWhatWasDone()
    {
        FakeEntry shorter = new("short", GuestEntryKind.File) { Bytes = [1, 2, 3], Declared = 5 };
        FakeEntry root = FakeEntry.Directory(
            "root", FakeEntry.File("a", "1234"), FakeEntry.Directory("d", FakeEntry.File("b", "12"), new FakeEntry("pipe", GuestEntryKind.Special)), shorter, FakeEntry.File("..", "bad"));
        List<GuestFault> faults = [];
        GuestCopyResult result = root.CopyTo(_scratch.File("out"), new GuestCopyOptions { OnFault = faults.Add });
        Assert.Equal(new GuestCopyResult { Files = 2, Directories = 2, SpecialFiles = 1, Bytes = 9, Faults = 2 }, result);
        Assert.Equal(["/..", "/short"], faults.Select(fault => fault.Path));
        Assert.Equal(new GuestCopyResult { SpecialFiles = 1 }, new FakeEntry("pipe", GuestEntryKind.Special).CopyTo(_scratch.File("pipe")));
    }

    private static void Cancel(CancellationTokenSource source, bool isTime)
    {
        if (isTime)
        {
            source.Cancel();
        }
    }

    private sealed class Recorder : IProgress<WorkProgress>
    {
        public List<WorkProgress> Reports { get; } = [];

        public Action<WorkProgress>? OnReport { get; init; }

        public void Report(WorkProgress value)
        {
            Reports.Add(value);
            OnReport?.Invoke(value);
        }
    }
}
