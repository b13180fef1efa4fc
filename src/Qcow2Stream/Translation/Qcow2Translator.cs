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
    private readonly L1Pieces _l1Pieces;
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

        _l1Pieces = new L1Pieces(image, l1, BitOperations.Log2((ulong)_geometry.L2Coverage), L1Entry.OffsetMask, cacheBytes);
        MostWalks = (int)(_l1Pieces.WalksShare / (L2PieceWords * sizeof(ulong)));
        _l2Pieces = new TableCache(_l1Pieces.L2Share, L2PieceWords * sizeof(ulong), (length >> _l2PieceShift) + 1);
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

        if (!_l1Pieces.TryGet(guestOffset, out ulong[]? l1))
        {
            l1 = _l1Pieces.LoadAsync(guestOffset, async: false, default).Now();
        }

        long l2TableOffset = new L1Entry(_l1Pieces.Entry(l1, guestOffset)).L2TableOffset;
        if (l2TableOffset == 0)
        {
            return _l1Pieces.Empty(l1, guestOffset, maxLength);
        }

        pieceOffset = L2PieceOffset(l2TableOffset, guestOffset);
        l2 = LoadL2Async(l2TableOffset, pieceOffset, guestOffset, async: false, default).Now();
        return l2 is null ? Empty(guestOffset, maxLength) : ScanL2(l2, pieceOffset, guestOffset, maxLength);
    }

    public ITranslator ForWalk() => new Qcow2Translator(this);

    public async ValueTask<HostRun> TranslateAsync(
        long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken)
    {
        if (_l2Pieces.TryGet(guestOffset >> _l2PieceShift, out ulong[]? l2, out long pieceOffset))
        {
            return ScanL2(l2, pieceOffset, guestOffset, maxLength);
        }

        if (!_l1Pieces.TryGet(guestOffset, out ulong[]? l1))
        {
            l1 = await _l1Pieces.LoadAsync(guestOffset, async: true, cancellationToken).ConfigureAwait(false);
        }

        long l2TableOffset = new L1Entry(_l1Pieces.Entry(l1, guestOffset)).L2TableOffset;
        if (l2TableOffset == 0)
        {
            return _l1Pieces.Empty(l1, guestOffset, maxLength);
        }

        pieceOffset = L2PieceOffset(l2TableOffset, guestOffset);
        l2 = await LoadL2Async(l2TableOffset, pieceOffset, guestOffset, async: true, cancellationToken).ConfigureAwait(false);
        return l2 is null ? Empty(guestOffset, maxLength) : ScanL2(l2, pieceOffset, guestOffset, maxLength);
    }

    /// <summary>What a piece of zeros says.</summary>
    private HostRun Empty(long guestOffset, long maxLength) =>
        HostRun.Unallocated(guestOffset, Math.Min(maxLength, (((guestOffset >> _l2PieceShift) + 1) << _l2PieceShift) - guestOffset));

    private HostRun ScanL2(ulong[] l2, long pieceOffset, long guestOffset, long maxLength)
    {
        int word = (_geometry.L2Index(guestOffset) & (_l2PieceEntries - 1)) * _geometry.WordsPerL2Entry;
        return _scanner.Scan(l2.AsSpan(word), pieceOffset + ((long)word * sizeof(ulong)), guestOffset, maxLength);
    }

    /// <summary>Where, in its file, the piece of an L2 table starts that holds the entry of <paramref name="guestOffset"/>.</summary>
    private long L2PieceOffset(long l2TableOffset, long guestOffset) =>
        l2TableOffset + ((long)(_geometry.L2Index(guestOffset) & ~(_l2PieceEntries - 1)) * _geometry.WordsPerL2Entry * sizeof(ulong));

    /// <summary>Loads the piece that holds the entry of <paramref name="guestOffset"/>; one that can't be loaded is not kept. Null for one of zeros that isn't stored.</summary>
    private async ValueTask<ulong[]?> LoadL2Async(
        long l2TableOffset, long pieceOffset, long guestOffset, bool async, CancellationToken cancellationToken)
    {
        TablePieces.CheckL2Table(_image, l2TableOffset, _l1, _geometry.L1Index(guestOffset));
        long piece = guestOffset >> _l2PieceShift;
        if (TablePieces.IsEmpty(_image, pieceOffset, L2PieceWords, piece << _l2PieceShift))
        {
            return null;
        }

        ulong[] table = _l2Pieces.NewTable(L2PieceWords);
        await TablePieces.LoadAsync(
            _image, pieceOffset, table, piece << _l2PieceShift, async, cancellationToken)
            .ConfigureAwait(false);
        _l2Pieces.Add(piece, table, pieceOffset);
        return table;
    }
}
