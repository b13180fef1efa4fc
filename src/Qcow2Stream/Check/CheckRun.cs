using Qcow2Stream.Format;
using Qcow2Stream.Images;

namespace Qcow2Stream.Check;

/// <summary>One pass of a check over an image: what was counted so far, and the findings not handed out yet.</summary>
internal sealed class CheckRun
{
    // Tables do not share bytes in an image that is right. In a damaged one some may; that they all do is an attack.
    private const int MostTimesWalked = 16;

    // What a file may have stored beyond what the host says: some count what was just written only later.
    private const long NotYetStored = 64 << 20;

    // To count a cluster costs as much as to read so many bytes of a table.
    private const int BytesPerCount = 32;

    // To find what isn't listed costs as much as to read so many.
    private const int BytesPerFinding = 512;

    private const int PieceBytes = TablePieces.MaxWords * sizeof(ulong);

    private readonly Queue<CheckFinding> _found = new();
    private readonly int _maxFindings;
    private int _listed;
    private readonly IProgress<WorkProgress>? _progress;
    private readonly CancellationToken _cancellationToken;
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
        ActualLength = image.File.GetLength();
        FileLength = ActualLength + (-ActualLength & (Sector.Size - 1));
        Clusters = ClusterCount(FileLength);
        _maxFindings = options.MaxCheckFindings;
        _tableBytesLeft = Math.Min(options.MaxCheckTableBytes, StoredLength() * MostTimesWalked);
        Expect(FileLength);
        Recorded = new RecordedRefcounts(image, FileLength, options.LayerCacheBytes);

        // The last region may end up to a cluster past the end of the file.
        Uses = new ClusterUses(Clusters + 1, Recorded.Layout.Max, options.MaxCheckBytes, image.File.Path);
    }

    public Qcow2Image Image { get; }

    public Qcow2OpenOptions Options { get; }

    public Geometry Geometry => Image.Geometry;

    /// <summary>The file's length when the check began, in bytes.</summary>
    public long ActualLength { get; }

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

        if (_listed < _maxFindings)
        {
            bool isLast = ++_listed == _maxFindings;
            _found.Enqueue(isLast ? finding with { Message = $"{finding.Message}; what else there is, is counted and not listed (MaxCheckFindings)" } : finding);
        }
        else
        {
            _tableBytesLeft -= BytesPerFinding;
        }
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
                $"what it refers to (offset 0x{hostOffset:x}, {length} bytes) lies past the end of the file of {ActualLength} bytes");
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

    /// <summary>Takes bytes of tables from what the check may read, and says whether it may go on. Where it may not, that is reported, once.</summary>
    public bool MayTake(long bytes, CheckFindingKind kind, in CheckPlace place)
    {
        _tableBytesLeft -= bytes;
        if (_tableBytesLeft < 0 && !_isBudgetTold)
        {
            _isBudgetTold = true;
            const string Why = "it is not looked at, nor is what comes after it: the image's tables share more of their bytes than a check follows, or take more than MaxCheckTableBytes";
            _listed = Math.Min(_listed, _maxFindings - 1);
            Unreadable(kind, place, Why);
        }

        return _tableBytesLeft >= 0;
    }

    /// <summary>
    /// Counts a reference to every cluster of an L1 table or a bitmap's table, and says whether it may be walked: all of that, and
    /// of <see cref="Pieces"/>, may take as much as what the file stores sixteen times, which bounds the work whatever the image says.
    /// Where that is not enough, it is reported, once.
    /// </summary>
    public bool MayWalk(ulong hostOffset, long length, CheckFindingKind kind, in CheckPlace place)
    {
        if (!MayTake(Math.Min(length, FileLength) / Geometry.ClusterSize * BytesPerCount, kind, place))
        {
            return false;
        }

        Count(hostOffset, length, ClusterUse.Metadata, place);
        return true;
    }

    /// <summary>The pieces of a table, in order, as far as they lie inside the file and may be walked. Those that aren't stored are zeros, and left out.</summary>
    /// <param name="tableOffset">Where the table starts.</param>
    /// <param name="words">How many words it has.</param>
    /// <param name="kind">For <see cref="MayWalk"/>.</param>
    /// <param name="place">The table.</param>
    /// <returns>Each piece, the place of its first word in the table, and where that is in the file.</returns>
    public IEnumerable<(long First, long HostOffset, ulong[] Words)> Pieces(ulong tableOffset, long words, CheckFindingKind kind, CheckPlace place)
    {
        for (long first = 0; first < words && tableOffset < (ulong)FileLength; first += TablePieces.MaxWords)
        {
            long offset = (long)tableOffset + (first * sizeof(ulong));
            if (offset < 0 || offset >= FileLength)
            {
                yield break;
            }

            _cancellationToken.ThrowIfCancellationRequested();
            long length = Math.Min((words - first) * sizeof(ulong), FileLength - offset);
            long hole = Image.File.GetHoleLength(offset, length);
            if (hole >= Math.Min(length, PieceBytes))
            {
                // On to the piece that the hole ends in.
                first += Math.Max(0, (hole / PieceBytes) - 1) * TablePieces.MaxWords;
                continue;
            }

            int piece = (int)Math.Min(TablePieces.MaxWords, words - first);
            if (!MayTake((long)piece * sizeof(ulong), kind, place))
            {
                yield break;
            }

            yield return (first, offset, TablePieces.Load(Image, offset, piece));
        }
    }

    /// <summary>Tables that a file has lost during the check were read as zeros, which they were not.</summary>
    /// <exception cref="Qcow2FormatException">The file became shorter since the pass began.</exception>
    public void CheckLength()
    {
        long length = Image.File.GetLength();
        Cover(_toCover - _covered);
        if (length < ActualLength)
        {
            throw new Qcow2FormatException(
                $"the file became shorter during the check: it had {ActualLength} bytes, and has {length}", Image.File.Path, hostOffset: length);
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

    /// <summary>What of the file is stored, at most: holes aren't.</summary>
    private long StoredLength()
    {
        long allocated = Image.File.GetAllocatedLength();
        return Math.Min(allocated < FileLength ? Math.Min(FileLength, allocated + NotYetStored) : FileLength, long.MaxValue / MostTimesWalked);
    }

    private long ClusterCount(long length) => (length >> Geometry.ClusterBits) + (Geometry.OffsetInCluster(length) != 0 ? 1 : 0);
}
