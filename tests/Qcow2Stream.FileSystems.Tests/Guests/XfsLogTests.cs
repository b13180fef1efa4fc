using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;
using Qcow2Stream.FileSystems.Xfs;
using Qcow2Stream.FileSystems.Xfs.Log;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>
/// The log of XFS: what is told of it, and what damage does. That the replay is right, the trees of its disks say, which are as Linux lists them once it has
/// replayed the log (<see cref="GuestTreeTests"/>).
/// </summary>
public sealed class XfsLogTests
{
    private const int LogFeatures = 220;
    private const int SuperblockSum = 224;
    private const int Cases = 60;

    [Theory]
    [InlineData("xfs-log")]
    [InlineData("xfs-replay")]
    [InlineData("xfs-exchange")]
    public void LogThatIsReplayed_IsNotTold(string name)
    {
        using PatchedDisk disk = new(name);
        using GuestFileSystem files = Open(disk);
        Assert.Null(files.Notice);
    }

    /// <summary>Without a replay the files are those that the guest had before, and that is told.</summary>
    [Theory]
    [InlineData("xfs-log", 0)]
    [InlineData("xfs-replay", 0)]
    [InlineData("xfs-replay", 100_000)]
    [InlineData("xfs-exchange", 0)]
    public void LogThatTakesTooMuchMemory_IsToldAndNotReplayed(string name, int most)
    {
        using PatchedDisk disk = new(name);
        using GuestFileSystem files = Open(disk, new GuestOptions { MaxJournalBytes = most });
        Assert.Equal(
            $"its log is not replayed, as the guest would do first (it would take more than {most} bytes of memory: GuestOptions.MaxJournalBytes allows more): "
                + "what it wrote last may be missing",
            files.Notice);
        List<string> lines = GuestTree.Lines(files, hasModes: true, out List<string> faults);
        Assert.NotEqual((0, GuestTree.Expected(GuestImages.Folder($"trees/{name}.txt"))), (faults.Count, lines));
    }

    /// <summary>The log goes on at its start; of an exchange of content a part was done, and the next extent was about to be.</summary>
    [Fact]
    public void Disks_AreWhatTheyAreFor()
    {
        using PatchedDisk disk = new("xfs-replay");
        XfsLogRing ring = RingOf(disk);
        XfsLogEnds ends = XfsLogEnds.Find(ring);
        Assert.True(ends.Tail + ends.Blocks > ring.Blocks);

        using PatchedDisk other = new("xfs-exchange");
        FileSystemSource source = new(other, [], GuestOptions.Default);
        XfsVolume volume = new(source);
        ring = new XfsLogRing(volume);
        XfsLogResult result = XfsLogReplay.Run(source, volume, ring, XfsLogEnds.Find(ring));
        XfsLogItemKind[] kinds = [.. result.Intents.OfContent().Select(intent => intent.Kind)];
        Assert.Contains(XfsLogItemKind.ExchangeIntent, kinds);
        Assert.Contains(XfsLogItemKind.MapIntent, kinds);
    }

    [Fact]
    public void LogWithAFeatureThatIsNotKnown_IsToldAndNotReplayed()
    {
        using PatchedDisk disk = new("xfs-log");
        disk[LogFeatures + 3] = 0x2;
        byte[] superblock = disk.Read(0, 512);
        disk.Write(SuperblockSum, XfsChecksum.Of(superblock, SuperblockSum));
        using GuestFileSystem files = Open(disk);
        Assert.Contains("(it has features that are not handled (0x2))", files.Notice, StringComparison.Ordinal);
        Assert.Null(files.Find("/new"));
    }

    /// <summary>One item that isn't known ends the replay: what it means for the others is not known either.</summary>
    [Fact]
    public void ItemThatIsNotKnown_IsToldAndNothingReplayed()
    {
        using PatchedDisk disk = new("xfs-log");
        LoggedRecord record = LoggedRecord.All(disk)[0];
        int item = record.Find([0x3B, 0x12]);
        record.Write(item, [0x60]);
        record.Seal();
        using GuestFileSystem files = Open(disk);
        Assert.Contains("(it has items of a kind that is not known (0x1260))", files.Notice, StringComparison.Ordinal);
        Assert.Null(files.Find("/new"));
    }

    /// <summary>The last records may be torn: then the log ends before them. One before those is damage.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(9, false)]
    public void RecordWhoseSumIsWrong_EndsTheLogOrIsDamage(int fromLast, bool isTorn)
    {
        using PatchedDisk disk = new("xfs-exchange");
        LoggedRecord record = LoggedRecord.All(disk)[^fromLast];
        record.Write(20, [0x55]);
        using GuestFileSystem files = Open(disk);
        if (isTorn)
        {
            Assert.Null(files.Notice);
            Assert.NotNull(files.Find("/second"));
        }
        else
        {
            Assert.Contains("(the checksum of one of its records is wrong)", files.Notice, StringComparison.Ordinal);
        }
    }

    /// <summary>Whatever the log says, it ends: with files, or with errors of one kind. Under right sums all of it is believed that can be.</summary>
    [Theory]
    [InlineData("xfs-replay", true)]
    [InlineData("xfs-exchange", true)]
    [InlineData("xfs-exchange", false)]
    public void DamagedLog_GivesOwnErrors(string name, bool hasRightSums)
    {
        using PatchedDisk disk = new(name);
        List<LoggedRecord> records = LoggedRecord.All(disk);
        int told = 0;
        for (int seed = 0; seed < Cases; seed++)
        {
            disk.Restore();
            Random random = new(seed);
            for (int i = random.Next(1, 12); i > 0; i--)
            {
                LoggedRecord record = records[random.Next(records.Count)];
                int place = random.Next(4) == 0 ? random.Next(Math.Min(300, record.Length)) : random.Next(record.Length);
                byte value = random.Next(4) switch { 0 => 0xFF, 1 => 0, 2 => (byte)(record[place] ^ (1 << random.Next(8))), _ => (byte)random.Next(256) };
                record.Write(place, [value]);
                if (hasRightSums)
                {
                    record.Seal();
                }
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception? thrown = Record.Exception(() =>
            {
                using GuestFileSystem files = Open(disk, new GuestOptions { MaxJournalBytes = 16 << 20 });
                told += files.Notice is null ? 0 : 1;
                GuestReading.ReadAll(files);
            });
            Assert.True(thrown is null or GuestException, $"{name}, seed {seed}: {thrown}");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 512 << 20, $"{name}, seed {seed}: memory");
        }

        Assert.NotInRange(told, 0, Cases / 12);
    }

    /// <summary>Held against a list of every block.</summary>
    [Fact]
    public void Remaps_AreAsIfEachWereDoneInTurn()
    {
        const int Blocks = 60;
        for (int seed = 0; seed < Cases; seed++)
        {
            Random random = new(seed);
            XfsRemaps remaps = new();
            ulong?[] expected = [.. Enumerable.Range(1000, Blocks).Select(block => (ulong?)block)];
            for (int i = random.Next(30); i > 0; i--)
            {
                int start = random.Next(Blocks);
                int count = random.Next(Blocks - start + 1);
                ulong? block = random.Next(3) == 0 ? null : (ulong)random.Next(2000, 9000);
                remaps.Add(new XfsRemap((ulong)start, (ulong)count, block));
                for (int at = 0; at < count; at++)
                {
                    expected[start + at] = block + (ulong)at;
                }
            }

            List<ulong?> actual = [];
            while (actual.Count < Blocks)
            {
                ulong at = (ulong)actual.Count;
                XfsRun run = remaps.Over(new XfsRun(at, Blocks - at, 1000 + at));
                Assert.InRange(run.Count, 1u, Blocks - at);
                actual.AddRange(Enumerable.Range(0, (int)run.Count).Select(skipped => run.Block + (ulong)skipped));
            }

            Assert.Equal(expected, actual);
        }
    }

    private static XfsLogRing RingOf(PatchedDisk disk) => new(new XfsVolume(new FileSystemSource(disk, [], GuestOptions.Default)));

    private static GuestFileSystem Open(PatchedDisk disk, GuestOptions? options = null) =>
        ReaderErrors.Call(() => XfsFileSystem.Open(new FileSystemSource(disk, [], options ?? GuestOptions.Default), "XFS"));
}
