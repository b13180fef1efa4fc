using System.Numerics;
using Qcow2Stream.Format;
using Qcow2Stream.Images;
using Qcow2Stream.Text;

namespace Qcow2Stream.Translation;

/// <summary>
/// One disk of a qcow2 image, the active one or a snapshot's: guest offset → L1 entry → L2 entry → run (section
/// "Cluster mapping" of the specification). Safe for any number of threads; holds no more memory than its two caches, and those for walks.
/// </summary>
internal sealed class Qcow2Translator : ITranslator
{
    private readonly Qcow2Image _image;
    private readonly Geometry _geometry;
    private readonly L1Location _l1;
    private readonly L2Scanner _scanner;
    private readonly TableCache _l1Pieces;
    private readonly TableCache _l2Pieces;
    private readonly int _l2PieceEntries;
    private readonly int _l2PieceShift;

    /// <summary>Initializes the translator.</summary>
    /// <param name="image">The image.</param>
    /// <param name="l1">The disk's L1 table, which lies inside the file.</param>
    /// <param name="length">The disk's size in bytes; the table covers it.</param>
    /// <param name="cacheBytes">The memory for tables.</param>
    public Qcow2Translator(Qcow2Image image, L1Location l1, long length, long cacheBytes)
    {
        _image = image;
        _geometry = image.Geometry;
        _l1 = l1;
        _scanner = new L2Scanner(image);
        Length = length;
        _l2PieceEntries = Math.Min(_geometry.L2Entries, TablePieces.MaxWords / _geometry.WordsPerL2Entry);
        _l2PieceShift = BitOperations.Log2((uint)_l2PieceEntries) + _geometry.ClusterBits;

        // An L1 piece serves thousands of L2 tables, so a small share is plenty; and so is one for walks.
        long l1Share = cacheBytes / 8;
        long walksShare = cacheBytes / 8;
        MostWalks = (int)(walksShare / (L2PieceWords * sizeof(ulong)));
        _l1Pieces = new TableCache(
            l1Share, TablePieces.MaxWords * sizeof(ulong), (l1.Entries + TablePieces.MaxWords - 1) / TablePieces.MaxWords);
        _l2Pieces = new TableCache(cacheBytes - l1Share - walksShare, L2PieceWords * sizeof(ulong), (length >> _l2PieceShift) + 1);
    }

    private Qcow2Translator(Qcow2Translator other)
    {
        _image = other._image;
        _geometry = other._geometry;
        _l1 = other._l1;
        _scanner = other._scanner;
        _l2PieceEntries = other._l2PieceEntries;
        _l2PieceShift = other._l2PieceShift;
        _l1Pieces = other._l1Pieces;
        _l2Pieces = TableCache.ForWalk();
        Length = other.Length;
    }

    public long Length { get; }

    public int MostWalks { get; }

    private int L2PieceWords => _l2PieceEntries * _geometry.WordsPerL2Entry;

    public HostRun Translate(long guestOffset, long maxLength, RunDetail detail)
    {
        // A piece of L2 table that is known says that there is an L1 entry, and is all that most reads look at.
        if (_l2Pieces.TryGet(guestOffset >> _l2PieceShift, out ulong[]? l2, out long pieceOffset))
        {
            return ScanL2(l2, pieceOffset, guestOffset, maxLength);
        }

        long l1Piece = _geometry.L1Index(guestOffset) >> TablePieces.MaxWordsLog2;
        if (!_l1Pieces.TryGet(l1Piece, out ulong[]? l1))
        {
            l1 = LoadL1Async(l1Piece, async: false, default).Now();
        }

        if (IsEmpty(l1, guestOffset, maxLength, out HostRun run, out long l2TableOffset))
        {
            return run;
        }

        pieceOffset = L2PieceOffset(l2TableOffset, guestOffset);
        l2 = LoadL2Async(l2TableOffset, pieceOffset, guestOffset, async: false, default).Now();
        return ScanL2(l2, pieceOffset, guestOffset, maxLength);
    }

    public ITranslator ForWalk() => new Qcow2Translator(this);

    public async ValueTask<HostRun> TranslateAsync(
        long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken)
    {
        if (_l2Pieces.TryGet(guestOffset >> _l2PieceShift, out ulong[]? l2, out long pieceOffset))
        {
            return ScanL2(l2, pieceOffset, guestOffset, maxLength);
        }

        long l1Piece = _geometry.L1Index(guestOffset) >> TablePieces.MaxWordsLog2;
        if (!_l1Pieces.TryGet(l1Piece, out ulong[]? l1))
        {
            l1 = await LoadL1Async(l1Piece, async: true, cancellationToken).ConfigureAwait(false);
        }

        if (IsEmpty(l1, guestOffset, maxLength, out HostRun run, out long l2TableOffset))
        {
            return run;
        }

        pieceOffset = L2PieceOffset(l2TableOffset, guestOffset);
        l2 = await LoadL2Async(l2TableOffset, pieceOffset, guestOffset, async: true, cancellationToken).ConfigureAwait(false);
        return ScanL2(l2, pieceOffset, guestOffset, maxLength);
    }

    /// <summary>
    /// Reads the L1 entry. Where it is empty, the run goes on over all empty entries behind it that the same piece
    /// of the table holds: an empty disk of exabytes is passed in large steps.
    /// </summary>
    private bool IsEmpty(ulong[] l1, long guestOffset, long maxLength, out HostRun run, out long l2TableOffset)
    {
        int index = (int)(_geometry.L1Index(guestOffset) & (TablePieces.MaxWords - 1));
        l2TableOffset = new L1Entry(l1[index]).L2TableOffset;
        if (l2TableOffset != 0)
        {
            run = default;
            return false;
        }

        int empty = EntryScan.CountRun(l1.AsSpan(index), L1Entry.OffsetMask, first: 0, step: 0);
        long length = (empty * _geometry.L2Coverage) - (guestOffset & (_geometry.L2Coverage - 1));
        run = HostRun.Unallocated(guestOffset, Math.Min(length, maxLength));
        return true;
    }

    private HostRun ScanL2(ulong[] l2, long pieceOffset, long guestOffset, long maxLength)
    {
        int word = (_geometry.L2Index(guestOffset) & (_l2PieceEntries - 1)) * _geometry.WordsPerL2Entry;
        return _scanner.Scan(l2.AsSpan(word), pieceOffset + ((long)word * sizeof(ulong)), guestOffset, maxLength);
    }

    private async ValueTask<ulong[]> LoadL1Async(long piece, bool async, CancellationToken cancellationToken)
    {
        long first = piece << TablePieces.MaxWordsLog2;
        int entries = (int)Math.Min(TablePieces.MaxWords, _l1.Entries - first);
        ulong[] table = GC.AllocateUninitializedArray<ulong>(entries);
        await TablePieces.LoadAsync(
            _image, _l1.TableOffset + (first * L1Entry.Length), table, first * _geometry.L2Coverage, async, cancellationToken).ConfigureAwait(false);
        _l1Pieces.Add(piece, table);
        return table;
    }

    /// <summary>Where, in its file, the piece of an L2 table starts that holds the entry of <paramref name="guestOffset"/>.</summary>
    private long L2PieceOffset(long l2TableOffset, long guestOffset) =>
        l2TableOffset + ((long)(_geometry.L2Index(guestOffset) & ~(_l2PieceEntries - 1)) * _geometry.WordsPerL2Entry * sizeof(ulong));

    /// <summary>Loads the piece that holds the entry of <paramref name="guestOffset"/>; one that can't be loaded is not kept.</summary>
    private async ValueTask<ulong[]> LoadL2Async(
        long l2TableOffset, long pieceOffset, long guestOffset, bool async, CancellationToken cancellationToken)
    {
        TablePieces.CheckL2Table(_image, l2TableOffset, _l1, _geometry.L1Index(guestOffset));
        long piece = guestOffset >> _l2PieceShift;
        ulong[] table = _l2Pieces.NewTable(L2PieceWords);
        await TablePieces.LoadAsync(
            _image, pieceOffset, table, piece << _l2PieceShift, async, cancellationToken)
            .ConfigureAwait(false);
        _l2Pieces.Add(piece, table, pieceOffset);
        return table;
    }
}
