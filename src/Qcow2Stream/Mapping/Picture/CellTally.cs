using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping.Picture;

/// <summary>
/// What one cell holds so far. What is stored shows, however little it is, and of several kinds the most frequent one.
/// </summary>
/// <param name="layers">How many layers there are.</param>
internal sealed class CellTally(int layers)
{
    private readonly long[] _data = new long[layers];
    private readonly long[] _compressed = new long[layers];
    private long _zero;

    public void Add(in HostRun run, long bytes)
    {
        switch (run.Kind)
        {
            case RunKind.Data:
                _data[run.Depth] += bytes;
                break;
            case RunKind.Compressed:
                _compressed[run.Depth] += bytes;
                break;
            case RunKind.Zero:
                _zero += bytes;
                break;
            default:
                break;
        }
    }

    /// <summary>How the cell looks; it is empty afterwards.</summary>
    /// <param name="cellBytes">How many bytes it has.</param>
    public CellStyle Take(long cellBytes)
    {
        CellStyle style = new(_zero > 0 ? RunKind.Zero : RunKind.Unallocated, Depth: 0, Quarters(_zero, cellBytes));
        long most = 0;
        long stored = 0;
        for (int depth = 0; depth < _data.Length; depth++)
        {
            stored += _data[depth] + _compressed[depth];
            if (_data[depth] > most)
            {
                (most, style) = (_data[depth], new CellStyle(RunKind.Data, depth, 0));
            }

            if (_compressed[depth] > most)
            {
                (most, style) = (_compressed[depth], new CellStyle(RunKind.Compressed, depth, 0));
            }
        }

        Array.Clear(_data);
        Array.Clear(_compressed);
        _zero = 0;
        return stored == 0 ? style : style with { Quarters = Quarters(stored, cellBytes) };
    }

    /// <summary>How all cells look that are of one kind throughout.</summary>
    public static CellStyle Whole(in HostRun run) => new(run.Kind, run.Depth, 4);

    private static int Quarters(long part, long whole) => part == 0 ? 4 : (int)Math.Ceiling(4.0 * part / whole);
}
