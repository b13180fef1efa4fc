using Qcow2Stream.Format;
using Qcow2Stream.Images;

namespace Qcow2Stream.Check;

/// <summary>One pass of a check over an image: what was counted so far, and the findings not handed out yet.</summary>
internal sealed class CheckRun
{
    // Tables do not share bytes in an image that is right. In a damaged one some may; that they all do is an attack.
    private const int MostTimesWalked = 16;

    private readonly Queue<CheckFinding> _found = new();
    private readonly IProgress<WorkProgress>? _progress;
    private readonly CancellationToken _cancellationToken;
    private readonly long _startLength;
    private long _tableBytesLeft;
    private bool _isBudgetTold;
    private long _covered;
    private long _toCover;

    /// <summary>Initializes the pass.</summary>
    /// <param name="image">The image, lenient: tables past the end of the file are zeros.</param>
    /// <param name="options">The limits.</param>
    /// <param name="progress">Receives how many bytes are covered; may be null.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    public CheckRun(
        Qcow2Image image, Qcow2OpenOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        _progress = progress;
        _cancellationToken = cancellationToken;
        Image = image;
        Options = options;
        _startLength = image.File.GetLength();
        FileLength = _startLength + (-_startLength & (Sector.Size - 1));
        Clusters = ClusterCount(FileLength);
        _tableBytesLeft = FileLength * MostTimesWalked;
        Expect(FileLength);
        Recorded = new RecordedRefcounts(image, FileLength, options.LayerCacheBytes);

        // The last region may end up to a cluster past the end of the file.
        Uses = new ClusterUses(Clusters + 1, Recorded.Layout.Max, options.MaxCheckBytes, image.File.Path);
    }

    public Qcow2Image Image { get; }

    public Qcow2OpenOptions Options { get; }

    public Geometry Geometry => Image.Geometry;

    /// <summary>The file's length in whole sectors, in bytes.</summary>
    public long FileLength { get; }

    /// <summary>The clusters of the file, and of what is used just past its end.</summary>
    public long Clusters { get; private set; }

    public ClusterUses Uses { get; }

    public RecordedRefcounts Recorded { get; }

    public long HighestCluster { get; set; }

    public long AllocatedClusters { get; set; }

    public long FragmentedClusters { get; set; }

    public long CompressedClusters { get; set; }

    /// <summary>
    /// How many references to the table at hand are dealt with in one: findings in it count as many, as do its references.
    /// </summary>
    public long Times { get; set; } = 1;

    /// <summary>
    /// Whether references are unknown, as a structure that holds some could not be read: what looks leaked may be its.
    /// </summary>
    public bool MissesReferences { get; set; }

    private long Leaks { get; set; }

    private long Corruptions { get; set; }

    private long CheckErrors { get; set; }

    private long Warnings { get; set; }

    /// <summary>Reports a finding at a place.</summary>
    public void Report(CheckSeverity severity, CheckFindingKind kind, in CheckPlace place, string problem) =>
        Report(severity, kind, place, problem, Times);

    /// <inheritdoc cref="Report(CheckSeverity, CheckFindingKind, in CheckPlace, string)"/>
    public void Corrupt(CheckFindingKind kind, in CheckPlace place, string problem) =>
        Report(CheckSeverity.Corruption, kind, place, problem);

    /// <inheritdoc cref="Report(CheckSeverity, CheckFindingKind, in CheckPlace, string)"/>
    public void Warn(CheckFindingKind kind, in CheckPlace place, string problem) =>
        Report(CheckSeverity.Warning, kind, place, problem);

    /// <summary>Reports that a structure could not be read, and all that it refers to is not known.</summary>
    public void Unreadable(CheckFindingKind kind, in CheckPlace place, string problem)
    {
        MissesReferences = true;
        Report(CheckSeverity.Error, kind, place, problem);
    }

    private void Report(CheckSeverity severity, CheckFindingKind kind, in CheckPlace place, string problem, long count) => Report(
        new CheckFinding
        {
            Severity = severity,
            Kind = kind,
            HostOffset = place.HostOffset,
            GuestOffset = place.GuestOffset,
            SnapshotId = place.SnapshotId,
            Message = $"{place.What}: {problem}{(count > 1 ? $" ({count} times)" : "")}",
        },
        count);

    /// <summary>Reports a finding that counts as <paramref name="count"/> of its severity.</summary>
    public void Report(CheckFinding finding, long count = 1)
    {
        switch (finding.Severity)
        {
            case CheckSeverity.Warning:
                Warnings += count;
                break;
            case CheckSeverity.Leak:
                Leaks += count;
                break;
            case CheckSeverity.Corruption:
                Corruptions += count;
                break;
            default:
                CheckErrors += count;
                break;
        }

        _found.Enqueue(finding);
    }

    /// <summary>Hands out the findings so far. Called after every bounded piece of work, which bounds the queue.</summary>
    public IEnumerable<CheckFinding> Found()
    {
        _cancellationToken.ThrowIfCancellationRequested();
        while (_found.TryDequeue(out CheckFinding? finding))
        {
            yield return finding;
        }
    }

    /// <summary>Says how many more bytes are to be covered, of the file or of a disk.</summary>
    public void Expect(long bytes) => _toCover = _toCover > long.MaxValue - bytes ? long.MaxValue : _toCover + bytes;

    /// <summary>Says that so many bytes more are covered.</summary>
    public void Cover(long bytes)
    {
        _covered = Math.Min(_covered > long.MaxValue - bytes ? long.MaxValue : _covered + bytes, _toCover);
        _progress?.Report(new WorkProgress(_covered, _toCover));
    }

    /// <summary>Counts a reference to every cluster that a region of the file touches.</summary>
    /// <param name="hostOffset">Where the region starts.</param>
    /// <param name="length">Its length in bytes; 0 counts nothing.</param>
    /// <param name="use">What it is used for.</param>
    /// <param name="place">What refers to it.</param>
    public void Count(ulong hostOffset, long length, ClusterUse use, in CheckPlace place)
    {
        if (length == 0)
        {
            return;
        }

        // The last cluster of a file may be cut short; less than that is not there at all.
        if (hostOffset > (ulong)(long.MaxValue - length) || (long)hostOffset + length - FileLength >= Geometry.ClusterSize)
        {
            Corrupt(
                CheckFindingKind.OutsideFile,
                place,
                $"what it refers to (offset 0x{hostOffset:x}, {length} bytes) lies past the end of the file of {FileLength} bytes");
            return;
        }

        long last = ((long)hostOffset + length - 1) >> Geometry.ClusterBits;
        Clusters = Math.Max(Clusters, last + 1);
        for (long cluster = (long)hostOffset >> Geometry.ClusterBits; cluster <= last; cluster++)
        {
            if (Uses.Add(cluster, use, (ulong)Times) is > 0 and ulong uncounted)
            {
                Report(
                    CheckSeverity.Corruption,
                    CheckFindingKind.RefcountOverflow,
                    place,
                    $"cluster 0x{cluster << Geometry.ClusterBits:x} has more references than a refcount of {Image.Header.RefcountBits} bits can count",
                    (long)uncounted);
            }
        }
    }

    /// <summary>
    /// Whether an L1 table or a bitmap's table may be walked: all of them together may take each byte of the file sixteen
    /// times, which bounds the work whatever the image says. Where that is not enough, it is reported, once.
    /// </summary>
    public bool MayWalk(ulong hostOffset, long length, CheckFindingKind kind, in CheckPlace place)
    {
        _tableBytesLeft -= hostOffset < (ulong)FileLength ? Math.Min(length, FileLength - (long)hostOffset) : 0;
        if (_tableBytesLeft < 0 && !_isBudgetTold)
        {
            _isBudgetTold = true;
            Unreadable(kind, place, "it is not looked at, nor is what comes after it: the image's tables share more of their bytes than a check follows");
        }

        return _tableBytesLeft >= 0;
    }

    /// <summary>Loads a piece of a table that starts inside the file; what lies past its end is zeros.</summary>
    public ulong[] Load(long hostOffset, int words) => TablePieces.Load(Image, hostOffset, words);

    /// <summary>Tables that a file has lost during the check were read as zeros, which they were not.</summary>
    /// <exception cref="Qcow2FormatException">The file became shorter since the pass began.</exception>
    public void CheckLength()
    {
        long length = Image.File.GetLength();
        Cover(_toCover - _covered);
        if (length < _startLength)
        {
            throw new Qcow2FormatException(
                $"the file became shorter during the check: it had {_startLength} bytes, and has {length}", Image.File.Path, hostOffset: length);
        }
    }

    public CheckSummary Summarize() => new()
    {
        ImageEndOffset = (HighestCluster + 1) << Geometry.ClusterBits,
        TotalClusters = ClusterCount(Image.Header.Size & ~(Sector.Size - 1)),
        AllocatedClusters = AllocatedClusters,
        FragmentedClusters = FragmentedClusters,
        CompressedClusters = CompressedClusters,
        Leaks = Leaks,
        Corruptions = Corruptions,
        CheckErrors = CheckErrors,
        Warnings = Warnings,
    };

    private long ClusterCount(long length) => (length >> Geometry.ClusterBits) + (Geometry.OffsetInCluster(length) != 0 ? 1 : 0);
}
