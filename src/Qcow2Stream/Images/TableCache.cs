using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Qcow2Stream.HostFiles;

namespace Qcow2Stream.Images;

/// <summary>
/// Keeps the table pieces of one image that were used last, by their number: 4-way set-associative, so a hit is at
/// most four comparisons, takes no lock and changes nothing. Tables are immutable; one that is thrown out stays
/// valid for its holder. Safe for any number of threads.
/// </summary>
/// <remarks>
/// A general cache from a library would have to be bounded by count and hashes on the hottest path of the reader;
/// here the bound is exact in bytes, and sixteen layers deep a look-up must cost nanoseconds.
/// </remarks>
internal sealed class TableCache
{
    private const int MaxWays = 4;

    private readonly Piece?[] _slots;
    private readonly int _ways;
    private readonly long _setMask;
    private readonly bool _isForWalk;
    private uint _victim;

    /// <summary>Initializes the cache.</summary>
    /// <param name="maxBytes">The memory for tables; room for one piece is always made.</param>
    /// <param name="pieceBytes">The size of a piece.</param>
    /// <param name="pieceCount">How many pieces the image has: never more slots than that are made.</param>
    public TableCache(long maxBytes, int pieceBytes, long pieceCount)
    {
        long pieces = Math.Max(1, Math.Min(maxBytes / (pieceBytes + Piece.Overhead), pieceCount));
        _ways = (int)Math.Min(MaxWays, pieces);
        int sets = (int)BitOperations.RoundUpToPowerOf2((ulong)(pieces / _ways) + 1) >> 1;
        _setMask = sets - 1;
        _slots = new Piece?[sets * _ways];
    }

    private TableCache(bool isForWalk)
    {
        _isForWalk = isForWalk;
        _ways = 1;
        _slots = new Piece?[1];
    }

    /// <summary>
    /// For one thread that passes the tables from front to back: one table is kept, and its memory used again for the next.
    /// </summary>
    public static TableCache ForWalk() => new(isForWalk: true);

    /// <summary>An array to load a table into. It holds anything.</summary>
    public ulong[] NewTable(int words)
    {
        if (_isForWalk && _slots[0]?.Table is { } last && last.Length == words)
        {
            _slots[0] = null;
            return last;
        }

        return GC.AllocateUninitializedArray<ulong>(words);
    }

    public bool TryGet(long number, [NotNullWhen(true)] out ulong[]? table) => TryGet(number, out table, out _);

    /// <param name="number">The piece's number.</param>
    /// <param name="table">The piece.</param>
    /// <param name="hostOffset">Where it is in the file.</param>
    public bool TryGet(long number, [NotNullWhen(true)] out ulong[]? table, out long hostOffset)
    {
        int set = (int)(number & _setMask) * _ways;
        foreach (ref Piece? slot in _slots.AsSpan(set, _ways))
        {
            Piece? piece = Volatile.Read(ref slot);
            if (piece is not null && piece.Number == number)
            {
                table = piece.Table;
                hostOffset = piece.HostOffset;
                Instruments.TableHit();
                return true;
            }
        }

        table = null;
        hostOffset = 0;
        return false;
    }

    /// <summary>Keeps <paramref name="table"/>, which was missing, in place of the set's next victim if the set is full.</summary>
    public void Add(long number, ulong[] table, long hostOffset = 0)
    {
        Instruments.TableMiss();
        int set = (int)(number & _setMask) * _ways;
        int way = (int)(Interlocked.Increment(ref _victim) % (uint)_ways);
        for (int i = 0; i < _ways; i++)
        {
            Piece? piece = Volatile.Read(ref _slots[set + i]);
            if (piece is null || piece.Number == number)
            {
                way = i;
                break;
            }
        }

        Volatile.Write(ref _slots[set + way], new Piece(number, table, hostOffset));
    }

    private sealed class Piece(long number, ulong[] table, long hostOffset)
    {
        /// <summary>A slot, this object and the array's header, in bytes.</summary>
        public const int Overhead = 64;

        public long Number { get; } = number;

        public ulong[] Table { get; } = table;

        public long HostOffset { get; } = hostOffset;
    }
}
