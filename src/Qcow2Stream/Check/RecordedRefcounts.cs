using System.Diagnostics;
using Qcow2Stream.Format;
using Qcow2Stream.Images;

namespace Qcow2Stream.Check;

/// <summary>
/// The refcounts that the image records: refcount table → refcount block → refcount (section "Host cluster
/// management"). Holds no more memory than its two caches. Tables past the end of the file are zeros, as in QEMU.
/// </summary>
internal sealed class RecordedRefcounts
{
    private readonly Qcow2Image _image;
    private readonly long _tableOffset;
    private readonly long _fileLength;
    private readonly int _perBlockLog2;
    private readonly int _pieceWordsLog2;
    private readonly TableCache _tablePieces;
    private readonly TableCache _blockPieces;

    // The piece that the last answer came from. Neighbouring entries of an L2 table nearly always share it.
    private long _lastPiece = -1;
    private ulong[] _lastWords = [];

    // What lies past the end of the file, however much of it there is.
    private ulong[]? _zeros;

    /// <summary>Initializes the reader.</summary>
    /// <exception cref="Qcow2FormatException">The refcount table is too large or not cluster-aligned.</exception>
    public RecordedRefcounts(Qcow2Image image, long fileLength, long cacheBytes)
    {
        Qcow2Header header = image.Header;
        long tableBytes = (long)header.RefcountTableClusters << header.ClusterBits;
        if (tableBytes > RefcountTableEntry.MaxTableBytes)
        {
            throw new Qcow2FormatException(
                $"refcount_table_clusters is {header.RefcountTableClusters}: the refcount table would take {tableBytes} bytes, more than {RefcountTableEntry.MaxTableBytes}",
                image.File.Path,
                hostOffset: HeaderLayout.RefcountTableClusters);
        }

        if (header.RefcountTableOffset > (ulong)(long.MaxValue - tableBytes)
            || !image.Geometry.IsClusterAligned((long)header.RefcountTableOffset))
        {
            throw new Qcow2FormatException(
                $"refcount table offset 0x{header.RefcountTableOffset:x} is not cluster-aligned",
                image.File.Path,
                hostOffset: HeaderLayout.RefcountTableOffset);
        }

        _image = image;
        _tableOffset = (long)header.RefcountTableOffset;
        _fileLength = fileLength;
        TableEntries = tableBytes / RefcountTableEntry.Length;
        Layout = new RefcountLayout(header.RefcountOrder);
        _perBlockLog2 = Layout.PerBlockLog2(header.ClusterBits);

        // A cluster is 2^(cluster_bits - 3) words.
        _pieceWordsLog2 = Math.Min(header.ClusterBits - 3, TablePieces.MaxWordsLog2);
        int pieceBytes = sizeof(ulong) << _pieceWordsLog2;
        _tablePieces = new TableCache(cacheBytes / 8, pieceBytes, tableBytes / pieceBytes);
        _blockPieces = new TableCache(cacheBytes - (cacheBytes / 8), pieceBytes, ((fileLength >> header.ClusterBits) >> PiecePerLog2) + 2);
    }

    public RefcountLayout Layout { get; }

    /// <summary>How many entries the refcount table has, each for one block.</summary>
    public long TableEntries { get; }

    private int PiecePerLog2 => _pieceWordsLog2 + Layout.PerWordLog2;

    /// <summary>Reads an entry of the refcount table.</summary>
    public RefcountTableEntry TableEntry(long index)
    {
        long piece = index >> _pieceWordsLog2;
        if (!_tablePieces.TryGet(piece, out ulong[]? words))
        {
            words = Load(_tableOffset + ((piece * sizeof(ulong)) << _pieceWordsLog2));
            _tablePieces.Add(piece, words);
        }

        return new RefcountTableEntry(words[index & ((1L << _pieceWordsLog2) - 1)]);
    }

    /// <summary>Where an entry of the refcount table is in the file.</summary>
    public long TableEntryOffset(long index) => _tableOffset + (index * RefcountTableEntry.Length);

    /// <summary>Reads the refcount of a cluster; false if its block can't be read.</summary>
    public bool TryGet(long cluster, out ulong refcount)
    {
        if (cluster >> PiecePerLog2 == _lastPiece)
        {
            refcount = Layout.Get(_lastWords, IndexInPiece(cluster));
            return true;
        }

        bool readable = TryGetPiece(cluster, out ulong[]? words, out _);
        refcount = words is null ? 0 : Layout.Get(words, IndexInPiece(cluster));
        return readable;
    }

    /// <summary>Finds the piece of refcount block that holds a cluster's refcount.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="words">The piece, see <see cref="IndexInPiece"/>; null where all refcounts are 0, or can't be read.</param>
    /// <param name="clusters">For how many clusters, from this one on, the answer holds.</param>
    /// <returns>False if the block can't be read: its offset is not aligned, or past 2^63.</returns>
    public bool TryGetPiece(long cluster, out ulong[]? words, out long clusters)
    {
        words = null;
        long block = cluster >> _perBlockLog2;
        long inBlock = cluster & ((1L << _perBlockLog2) - 1);
        if (block >= TableEntries)
        {
            clusters = long.MaxValue;
            return true;
        }

        clusters = (1L << _perBlockLog2) - inBlock;
        ulong offset = TableEntry(block).BlockOffset;
        if (offset == 0)
        {
            return true;
        }

        if (offset > (ulong)(long.MaxValue - _image.Geometry.ClusterSize) || !_image.Geometry.IsClusterAligned((long)offset))
        {
            return false;
        }

        long piece = cluster >> PiecePerLog2;
        clusters = (1L << PiecePerLog2) - IndexInPiece(cluster);
        if (!_blockPieces.TryGet(piece, out words))
        {
            long pieceInBlock = inBlock >> PiecePerLog2;
            long pieceOffset = (long)offset + ((pieceInBlock * sizeof(ulong)) << _pieceWordsLog2);
            if (IsHole(pieceOffset))
            {
                return true;
            }

            words = Load(pieceOffset);
            _blockPieces.Add(piece, words);
        }

        (_lastPiece, _lastWords) = (piece, words);
        return true;
    }

    /// <summary>Which of a piece's refcounts is the cluster's.</summary>
    public int IndexInPiece(long cluster) => (int)(cluster & ((1L << PiecePerLog2) - 1));

    /// <summary>Whether a piece isn't stored: its refcounts all are 0.</summary>
    private bool IsHole(long hostOffset)
    {
        int length = sizeof(ulong) << _pieceWordsLog2;
        return hostOffset <= _fileLength - length && _image.File.GetHoleLength(hostOffset, length) == length;
    }

    private ulong[] Load(long hostOffset)
    {
        Debug.Assert(_image.IsLenient, "what lies past the end of the file is zeros");
        int words = 1 << _pieceWordsLog2;
        return hostOffset < _fileLength ? TablePieces.Load(_image, hostOffset, words) : _zeros ??= new ulong[words];
    }
}
