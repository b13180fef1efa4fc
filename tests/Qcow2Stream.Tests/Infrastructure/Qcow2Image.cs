namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>A built image: its bytes, where its structures landed, and what a reader must say about it.</summary>
internal sealed class Qcow2Image
{
    private readonly Qcow2Builder _description;
    private readonly SparseBuffer _file;
    private readonly List<ExpectedRun> _runs;
    private ExpectedMap? _expectedMap;

    public Qcow2Image(Qcow2Builder description, SparseBuffer file, SparseBuffer dataFile, List<ExpectedRun> runs)
    {
        _description = description;
        _file = file;
        DataFile = dataFile;
        _runs = runs;
    }

    /// <summary>Guest disk size in bytes.</summary>
    public long Size => _description.Size;

    public long FileLength => _file.Length;

    /// <summary>The content of the external data file, if the image has one.</summary>
    public SparseBuffer DataFile { get; }

    public required long L1Offset { get; init; }

    public required int L1Size { get; init; }

    /// <summary>Offsets of the L2 tables by L1 index.</summary>
    public required IReadOnlyDictionary<int, long> L2Offsets { get; init; }

    public required long RefcountTableOffset { get; init; }

    public required int RefcountTableClusters { get; init; }

    /// <summary>Offsets of the refcount blocks by index into the refcount table.</summary>
    public required IReadOnlyDictionary<long, long> RefcountBlockOffsets { get; init; }

    public ExpectedMap ExpectedMap => _expectedMap ??= new ExpectedMap(_description, _runs);

    public byte[] ToBytes() => _file.ToArray();

    public void WriteTo(string path) => _file.WriteTo(path);

    public long L1EntryOffset(int l1Index) => L1Offset + (l1Index * 8L);

    public long L2EntryOffset(long guestCluster) =>
        L2Offsets[(int)(guestCluster / _description.L2Entries)] + (guestCluster % _description.L2Entries * _description.L2EntrySize);

    /// <summary>Where a guest cluster's data lies in the file; null if it is not stored, or compressed.</summary>
    public long? HostOffsetOf(long guestCluster) =>
        _runs.Single(run => run.GuestOffset == guestCluster * _description.ClusterSize).HostOffset;

    /// <summary>The guest's bytes, backing files included.</summary>
    public byte[] ExpectedContent()
    {
        byte[] content = new byte[Size];
        if (_description.Backing is { } below)
        {
            byte[] lower = below.ExpectedContent();
            lower.AsSpan(0, (int)Math.Min(lower.Length, Size)).CopyTo(content);
        }

        foreach (ExpectedRun run in _runs.Where(run => run.GuestOffset < Size && !(run.IsZero && !run.Present)))
        {
            if (run.IsUnknown)
            {
                throw new InvalidOperationException("The description has an entry whose meaning it does not know.");
            }

            Span<byte> target = content.AsSpan((int)run.GuestOffset, (int)Math.Min(run.Length, Size - run.GuestOffset));
            target.Clear();
            run.Content.AsSpan(0, Math.Min(run.Content?.Length ?? 0, target.Length)).CopyTo(target);
        }

        return content;
    }
}
