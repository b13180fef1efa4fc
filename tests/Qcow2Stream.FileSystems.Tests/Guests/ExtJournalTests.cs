using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;
using Qcow2Stream.FileSystems.Ext;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>
/// Journals of guests that were cut off, and what is told of those that are damaged. That whole ones are read as Linux replays them, GuestTreeTests shows.
/// </summary>
public sealed class ExtJournalTests
{
    private const int BlockSize = 1024;
    private const string NotReplayed = "its journal is not replayed, as the guest would do first (";
    private const string AllMissing = "): what it wrote last may be missing";
    private const string Missing = ": what the guest wrote last may be missing";

    private readonly byte[] _volume = Read("ext4-log");
    private readonly int _journal;

    public ExtJournalTests() => _journal = Find(ExtJournalBlockType.Superblock, 0);

    [Fact]
    public void WholeJournal_IsReplayedWithoutAWord()
    {
        (string? notice, string[] names) = Open();
        Assert.Null(notice);
        Assert.Contains("synchronised", names);
    }

    [Fact]
    public void JournalOfMoreThanIsAllowed_IsTold()
    {
        (string? notice, string[] names) = Open(new GuestOptions { MaxJournalBytes = 16 << 10 });
        Assert.Equal($"{NotReplayed}it has more than 16384 bytes: GuestOptions.MaxJournalBytes allows more{AllMissing}", notice);
        Assert.NotEmpty(names);
    }

    [Theory]
    [InlineData(12, 2048, "its superblock is damaged")]
    [InlineData(20, 0, "its superblock is damaged: its log of 1024 blocks begins at block 0, in 1024 blocks")]
    [InlineData(16, 2048, "its superblock is damaged: its log of 2048 blocks begins at block 1, in 1024 blocks")]
    [InlineData(40, 0x152, "it has features that are not handled (incompatible features 0x140, read-only ones 0x0)")]
    [InlineData(44, 2, "it has features that are not handled (incompatible features 0x0, read-only ones 0x2)")]
    [InlineData(40, 0x1A, "its superblock is damaged: it says that there are two kinds of checksums")]
    public void SuperblockThatIsWrong_IsTold(int field, uint value, string reason)
    {
        Put(_journal + field, value);
        SumSuperblock();
        Assert.Equal($"{NotReplayed}{reason}{AllMissing}", Open().Notice);
    }

    [Fact]
    public void SuperblockWithAWrongChecksum_IsTold()
    {
        _volume[_journal + 28]++;
        Assert.Equal($"{NotReplayed}its superblock is damaged: the checksum is wrong{AllMissing}", Open().Notice);
    }

    [Fact]
    public void EndOfATransactionWithAWrongChecksum_EndsTheReplay()
    {
        int commit = Find(ExtJournalBlockType.Commit, Sequence() + 3);
        _volume[commit + 300] ^= 1;
        (string? notice, string[] names) = Open();
        Assert.Equal($"its journal is damaged (the checksum of transaction {Sequence() + 3} is wrong){Missing}", notice);
        Assert.NotEmpty(names);
    }

    [Fact]
    public void CopyWithAWrongChecksum_IsLeftOut()
    {
        int descriptor = Find(ExtJournalBlockType.Descriptor, Last());
        uint block = BinaryPrimitives.ReadUInt32BigEndian(_volume.AsSpan(descriptor + ExtJournalLayout.Header.Length));
        _volume[descriptor + BlockSize + 1000] ^= 1;
        Assert.Equal($"its journal is damaged (the checksum of block {block} is wrong in transaction {Last()}){Missing}", Open().Notice);
    }

    [Fact]
    public void JournalElsewhere_IsTold()
    {
        const int JournalInode = 1024 + 224;
        Assert.Equal(8, _volume[JournalInode]);
        _volume[JournalInode] = 0;
        SumVolume();
        Assert.Equal($"{NotReplayed}it is on another device{AllMissing}", Open().Notice);
    }

    [Fact]
    public void FastCommits_AreTold()
    {
        FileSystemSource source = new(BlockSource.FromStream(new MemoryStream(Read("ext4-fast-commit"))), [], GuestOptions.Default);
        using GuestFileSystem files = ExtFileSystem.Open(source, "ext4");
        Assert.Equal($"its journal has fast commits, which are not replayed{Missing}", files.Notice);
        Assert.Contains("some folder", files.Root.EnumerateChildren().Select(entry => entry.Name));
    }

    /// <summary>Tags without a last one, for more copies than the ring has blocks.</summary>
    [Fact]
    public void TransactionLongerThanItsLog_IsTold()
    {
        byte[] volume = Read("ext-journals").AsSpan(1 << 20, 4 << 20).ToArray();
        int journal = Find(volume, ExtJournalBlockType.Superblock, 0);
        BinaryPrimitives.WriteInt32BigEndian(volume.AsSpan(journal + ExtJournalLayout.Superblock.BlockCount), 40);
        int descriptor = Find(volume, ExtJournalBlockType.Descriptor, 1);
        for (int at = ExtJournalLayout.Header.Length; at + ExtJournalLayout.Tag.SmallLength <= BlockSize; at += ExtJournalLayout.Tag.SmallLength)
        {
            Span<byte> tag = volume.AsSpan(descriptor + at, ExtJournalLayout.Tag.SmallLength);
            tag.Clear();
            BinaryPrimitives.WriteUInt16BigEndian(tag[ExtJournalLayout.Tag.Flags..], ExtJournalLayout.Tag.HasSameUuid);
        }

        FileSystemSource source = new(BlockSource.FromStream(new MemoryStream(volume)), [], GuestOptions.Default);
        using GuestFileSystem files = ExtFileSystem.Open(source, "ext4");
        Assert.Equal($"{NotReplayed}transaction 1 is longer than its log{AllMissing}", files.Notice);
    }

    /// <summary>Damaged at random, the same way in every run, and with checksums that are right: listing and reading ends, with errors of one kind.</summary>
    [Theory]
    [InlineData("ext4-log", 0, 8)]
    [InlineData("ext-journals", 1, 4)]
    [InlineData("ext-journals", 5, 4)]
    public void DamagedJournals_GiveOwnErrors(string name, int start, int length)
    {
        byte[] good = Read(name).AsSpan(start << 20, length << 20).ToArray();
        int journal = Find(good, ExtJournalBlockType.Superblock, 0);
        int[] headers = [.. Enumerable.Range(0, 1023).Select(block => journal + (block * BlockSize))
            .Where(at => BinaryPrimitives.ReadUInt32BigEndian(good.AsSpan(at)) == ExtJournalLayout.Header.Magic)];
        int told = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            byte[] bad = (byte[])good.Clone();
            Random random = new(seed);
            for (int i = random.Next(1, 30); i > 0; i--)
            {
                bad[headers[random.Next(headers.Length)] + random.Next(random.Next(3) == 0 ? BlockSize : 80)] = (byte)random.Next(256);
            }

            SumSuperblock(bad, journal);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception? thrown = Record.Exception(() =>
            {
                FileSystemSource source = new(BlockSource.FromStream(new MemoryStream(bad)), [], GuestOptions.Default);
                using GuestFileSystem files = ReaderErrors.Call(() => ExtFileSystem.Open(source, "ext4"));
                told += files.Notice is null ? 0 : 1;
                GuestReading.ReadAll(files);
            });
            Assert.True(thrown is null or GuestException, $"{name}, seed {seed}: {thrown}");
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 << 20);
        }

        Assert.NotEqual(0, told);
    }

    private static byte[] Read(string name)
    {
        using Qcow2ChainStream disk = new(GuestImages.Disk(name));
        byte[] volume = new byte[disk.Length];
        disk.ReadExactly(volume);
        return volume;
    }

    /// <summary>Where a block of the journal is, of a transaction if it isn't 0. The journal is in one piece.</summary>
    private int Find(ExtJournalBlockType type, uint sequence) => Find(_volume, type, sequence);

    private static int Find(byte[] volume, ExtJournalBlockType type, uint sequence)
    {
        for (int at = 0; at < volume.Length; at += BlockSize)
        {
            if (Get(volume, at) == ExtJournalLayout.Header.Magic && Get(volume, at + ExtJournalLayout.Header.Type) == (uint)type
                && (sequence == 0 || Get(volume, at + ExtJournalLayout.Header.Sequence) == sequence))
            {
                return at;
            }
        }

        throw new InvalidOperationException("not there");
    }

    private static uint Get(byte[] volume, int at) => BinaryPrimitives.ReadUInt32BigEndian(volume.AsSpan(at));

    private uint Sequence() => Get(_volume, _journal + ExtJournalLayout.Superblock.Sequence);

    private uint Last()
    {
        uint last = Sequence();
        for (int at = 0; at < _volume.Length; at += BlockSize)
        {
            if (Get(_volume, at) == ExtJournalLayout.Header.Magic
                && Get(_volume, at + ExtJournalLayout.Header.Type) == (uint)ExtJournalBlockType.Commit)
            {
                last = Math.Max(last, Get(_volume, at + ExtJournalLayout.Header.Sequence));
            }
        }

        return last;
    }

    private void Put(int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(_volume.AsSpan(at), value);

    private void SumSuperblock() => SumSuperblock(_volume, _journal);

    private static void SumSuperblock(byte[] volume, int journal)
    {
        Span<byte> superblock = volume.AsSpan(journal, ExtJournalLayout.Superblock.Length);
        superblock.Slice(ExtJournalLayout.Superblock.Checksum, sizeof(uint)).Clear();
        uint sum = Castagnoli.Add(uint.MaxValue, superblock);
        BinaryPrimitives.WriteUInt32BigEndian(superblock[ExtJournalLayout.Superblock.Checksum..], sum);
    }

    private void SumVolume()
    {
        Span<byte> superblock = _volume.AsSpan(1024, 1024);
        BinaryPrimitives.WriteUInt32LittleEndian(superblock[1020..], Castagnoli.Add(uint.MaxValue, superblock[..1020]));
    }

    private (string? Notice, string[] Names) Open(GuestOptions? options = null)
    {
        FileSystemSource source = new(BlockSource.FromStream(new MemoryStream(_volume)), [], options ?? GuestOptions.Default);
        using GuestFileSystem files = ExtFileSystem.Open(source, "ext4");
        return (files.Notice, [.. files.Root.EnumerateChildren().Select(entry => entry.Name)]);
    }
}
