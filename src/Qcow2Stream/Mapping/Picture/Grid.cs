using System.Numerics;

namespace Qcow2Stream.Mapping.Picture;

/// <summary>How a range of the disk is laid out in cells: rows of as many, each of a power of two of bytes.</summary>
internal readonly record struct Grid
{
    /// <summary>The cells of a row.</summary>
    public const int Columns = 512;

    private const int MaxRows = 64;

    /// <summary>Lays out a range.</summary>
    /// <param name="start">In bytes of the disk.</param>
    /// <param name="length">In bytes.</param>
    public Grid(long start, long length)
    {
        Start = start;
        Length = length;
        long share = length == 0 ? 1 : ((length - 1) / MaxRows) + 1;
        RowBytes = Math.Max(Columns, (long)BitOperations.RoundUpToPowerOf2((ulong)share));
    }

    /// <summary>Where the range starts, in bytes of the disk.</summary>
    public long Start { get; }

    /// <summary>In bytes.</summary>
    public long Length { get; }

    /// <summary>In bytes.</summary>
    public long RowBytes { get; }

    /// <summary>In bytes.</summary>
    public long CellBytes => RowBytes / Columns;

    public int Rows => Length == 0 ? 0 : (int)(((Length - 1) / RowBytes) + 1);

    /// <summary>The cell of a byte, counted through all rows.</summary>
    public int CellOf(long guestOffset) => (int)((guestOffset - Start) / CellBytes);

    /// <summary>Where a cell starts, in bytes of the disk.</summary>
    public long StartOf(int cell) => Start + (cell * CellBytes);

    /// <summary>How many bytes of the range a cell has: all but the last have as many.</summary>
    public long BytesOf(int cell) => Math.Min(CellBytes, Start + Length - StartOf(cell));
}
