using System.Diagnostics.CodeAnalysis;
using Qcow2Stream.Format;
using Qcow2Stream.Images;

namespace Qcow2Stream.Translation;

/// <summary>The L1 table of a disk, in the pieces that are used: the first half of every look-up, in both versions of the format.</summary>
/// <remarks>
/// An L1 piece serves thousands of L2 tables, so an eighth of a layer's memory for tables is plenty, and another for walks; the
/// rest is for L2 tables.
/// </remarks>
internal sealed class L1Pieces
{
    private readonly TableFile _image;
    private readonly L1Location _l1;
    private readonly int _coverageLog2;
    private readonly ulong _offsetMask;
    private readonly TableCache _cache;

    /// <summary>Initializes the pieces.</summary>
    /// <param name="image">The image.</param>
    /// <param name="l1">The table, which lies inside the file.</param>
    /// <param name="coverageLog2">How much of the disk one entry describes, as a power of two of bytes.</param>
    /// <param name="offsetMask">The bits of an entry that say where the L2 table is: 0 if there is none.</param>
    /// <param name="cacheBytes">The layer's memory for tables.</param>
    public L1Pieces(TableFile image, L1Location l1, int coverageLog2, ulong offsetMask, long cacheBytes)
    {
        _image = image;
        _l1 = l1;
        _coverageLog2 = coverageLog2;
        _offsetMask = offsetMask;
        long share = cacheBytes / 8;
        WalksShare = cacheBytes / 8;
        L2Share = cacheBytes - share - WalksShare;
        _cache = new TableCache(
            share, TablePieces.MaxWords * sizeof(ulong), (l1.Entries + TablePieces.MaxWords - 1) / TablePieces.MaxWords);
    }

    /// <summary>What of the memory for tables is left for L2 tables, in bytes.</summary>
    public long L2Share { get; }

    /// <summary>What of it is for the tables of walks, in bytes.</summary>
    public long WalksShare { get; }

    private long Coverage => 1L << _coverageLog2;

    /// <summary>The piece that has the entry of <paramref name="guestOffset"/>, if it is in memory.</summary>
    public bool TryGet(long guestOffset, [NotNullWhen(true)] out ulong[]? piece) => _cache.TryGet(PieceOf(guestOffset), out piece);

    /// <summary>Loads that piece; one that can't be loaded is not kept.</summary>
    /// <exception cref="Qcow2FormatException">The file ends inside it.</exception>
    public async ValueTask<ulong[]> LoadAsync(long guestOffset, bool async, CancellationToken cancellationToken)
    {
        long piece = PieceOf(guestOffset);
        long first = piece << TablePieces.MaxWordsLog2;
        ulong[] table = GC.AllocateUninitializedArray<ulong>((int)Math.Min(TablePieces.MaxWords, _l1.Entries - first));
        await TablePieces.LoadAsync(
            _image, _l1.TableOffset + (first * L1Entry.Length), table, first << _coverageLog2, async, cancellationToken).ConfigureAwait(false);
        _cache.Add(piece, table);
        return table;
    }

    /// <summary>The entry of <paramref name="guestOffset"/>.</summary>
    public ulong Entry(ulong[] piece, long guestOffset) => piece[IndexOf(guestOffset)];

    /// <summary>
    /// The run where there is no L2 table. It extends over all empty entries that the same piece holds: an empty disk of exabytes
    /// is passed in large steps.
    /// </summary>
    public HostRun Empty(ulong[] piece, long guestOffset, long maxLength)
    {
        long empty = EntryScan.CountRun(piece.AsSpan(IndexOf(guestOffset)), _offsetMask, first: 0, step: 0);
        return HostRun.Unallocated(guestOffset, Math.Min((empty << _coverageLog2) - (guestOffset & (Coverage - 1)), maxLength));
    }

    private long PieceOf(long guestOffset) => guestOffset >> _coverageLog2 >> TablePieces.MaxWordsLog2;

    private int IndexOf(long guestOffset) => (int)(guestOffset >> _coverageLog2) & (TablePieces.MaxWords - 1);
}
