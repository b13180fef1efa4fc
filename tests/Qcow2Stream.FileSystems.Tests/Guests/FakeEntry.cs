using System.Text;
using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.DiscUtilsReaders;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>An entry that holds what no tool would make.</summary>
internal sealed class FakeEntry(string name, GuestEntryKind kind, GuestOptions? options = null) : GuestEntry(options ?? GuestOptions.Default)
{
    public override string Name => name;

    public override GuestEntryKind Kind => KindFault is null ? kind : throw KindFault;

    public override long Length => Kind == GuestEntryKind.File ? Declared ?? Bytes.Length : 0;

    public override DateTime ModifiedUtc => new(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public override GuestUnixMode? UnixMode => Permissions is { } mode ? new GuestUnixMode(mode, 0, 0, 1) : null;

    public override string LinkTarget => Target ?? throw new GuestException("no target");

    public override object? Identity => Id;

    /// <summary>What asking for its kind ends in.</summary>
    public Exception? KindFault { get; init; }

    public UnixFileMode? Permissions { get; init; }

    public string? Target { get; init; }

    public object? Id { get; init; }

    public byte[] Bytes { get; init; } = [];

    public long? Declared { get; init; }

    /// <summary>The parts of its content that are stored; the rest are holes.</summary>
    public (long Offset, string Bytes)[]? Stored { get; init; }

    /// <summary>How many bytes of <see cref="Stored"/> have been read.</summary>
    public long BytesRead { get; private set; }

    public List<GuestEntry> Entries { get; } = [];

    /// <summary>What listing it ends in, after its entries.</summary>
    public Exception? Fault { get; init; }

    public static FakeEntry File(string name, string content) => new(name, GuestEntryKind.File) { Bytes = Encoding.UTF8.GetBytes(content) };

    public static FakeEntry Link(string name, string target) => new(name, GuestEntryKind.Link) { Target = target };

    public static FakeEntry Directory(string name, params GuestEntry[] entries)
    {
        FakeEntry directory = new(name, GuestEntryKind.Directory);
        directory.Entries.AddRange(entries);
        return directory;
    }

    internal override FileContent OpenContent() => Stored is not null ? new SparseContent(this, Stored) : new DiscUtilsContent(
        new BudgetedVolume(new FileSystemSource(BlockSource.FromStream(new MemoryStream(new byte[1 << 24])), [], GuestOptions.Default)), new MemoryStream(Bytes, writable: false), Length);

    internal override IEnumerable<GuestEntry> ReadDirectory()
    {
        foreach (GuestEntry entry in Entries)
        {
            yield return entry;
        }

        if (Fault is not null)
        {
            throw Fault;
        }
    }

    private sealed class SparseContent(FakeEntry entry, (long Offset, string Bytes)[] stored) : FileContent(entry.Length)
    {
        public override IEnumerable<StreamExtent> GetExtents(long start, long length) => stored.Select(part => new StreamExtent(part.Offset, part.Bytes.Length));

        protected override int ReadPiece(long offset, Span<byte> buffer)
        {
            (long start, string bytes) = stored.Last(part => part.Offset <= offset);
            entry.BytesRead += buffer.Length;
            return Encoding.UTF8.GetBytes(bytes.AsSpan((int)(offset - start), buffer.Length), buffer);
        }
    }
}
