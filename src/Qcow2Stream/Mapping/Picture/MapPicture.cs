using Qcow2Stream.Layers;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping.Picture;

/// <summary>
/// A map as cells: as many whatever the size of the disk, so that memory and the length of what is drawn are bounded.
/// </summary>
internal sealed class MapPicture
{
    private readonly Dictionary<CellStyle, List<CellRun>> _cells = [];
    private readonly CellTally _tally;
    private CellStyle _pendingStyle;
    private CellRun _pending;

    private MapPicture(Grid grid, int layers)
    {
        Grid = grid;
        _tally = new CellTally(layers);
    }

    public Grid Grid { get; }

    /// <summary>The cells by their looks; those in which nothing is stored, and which aren't zeros, are left out.</summary>
    public IReadOnlyDictionary<CellStyle, List<CellRun>> Cells => _cells;

    /// <summary>Draws a range inside the disk.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="start">In bytes.</param>
    /// <param name="length">In bytes.</param>
    public static MapPicture Of(RunRequest request, long start, long length)
    {
        MapPicture picture = new(new Grid(start, length), request.Chain.Layers.Count);
        long end = start + length;
        MergedRuns<HostRun, TranslatedRuns<PictureView>> runs = new(new(request, request.Chain.Translator.ForWalk(), start, end, end));
        while (runs.TryNext(out HostRun run))
        {
            picture.Add(run);
        }

        picture.Flush();
        return picture;
    }

    private void Add(in HostRun run)
    {
        int first = Grid.CellOf(run.GuestOffset);
        int last = Grid.CellOf(run.GuestEnd - 1);

        // The cells at its ends may hold other runs as well; those between are its own.
        AddPart(run, first);
        if (last > first)
        {
            Draw(first + 1, last - first - 1, CellTally.Whole(run));
            AddPart(run, last);
        }
    }

    private void AddPart(in HostRun run, int cell)
    {
        long start = Grid.StartOf(cell);
        long end = start + Grid.BytesOf(cell);
        _tally.Add(run, Math.Min(end, run.GuestEnd) - Math.Max(start, run.GuestOffset));
        if (run.GuestEnd >= end)
        {
            Draw(cell, 1, _tally.Take(Grid.BytesOf(cell)));
        }
    }

    /// <summary>Draws cells, which follow those drawn before.</summary>
    private void Draw(int cell, int count, CellStyle style)
    {
        while (count > 0)
        {
            (int row, int column) = (cell / Grid.Columns, cell % Grid.Columns);
            int part = Math.Min(count, Grid.Columns - column);
            if (style == _pendingStyle && row == _pending.Row && column == _pending.Column + _pending.Count)
            {
                _pending = _pending with { Count = _pending.Count + part };
            }
            else
            {
                Flush();
                (_pendingStyle, _pending) = (style, new CellRun(row, column, part));
            }

            cell += part;
            count -= part;
        }
    }

    private void Flush()
    {
        if (_pending.Count > 0 && _pendingStyle.Kind != RunKind.Unallocated)
        {
            if (!_cells.TryGetValue(_pendingStyle, out List<CellRun>? runs))
            {
                _cells.Add(_pendingStyle, runs = []);
            }

            runs.Add(_pending);
        }

        _pending = default;
    }
}
