using Qcow2Stream.Layers;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>
/// Writes a range of the map: pieces of it are translated, merged and put into the form several at once, each on one core,
/// and joined in their order. Nothing is written after a piece that can't be read.
/// </summary>
internal sealed class MapWriter<TForm> : IDisposable
    where TForm : struct, IMapForm
{
    // Pieces grow until they hold about so many runs: a tenth of a millisecond's work.
    private const int ManyRuns = 512;
    private const long LongestPiece = 64L << 30;

    // On machines with many cores, and with long chains, memory is the limit, for the text as for the tables.
    private const int MaxBytesAhead = 32 << 20;

    private readonly RunRequest _request;
    private readonly Utf8Output _text;
    private readonly long _start;
    private readonly long _end;
    private readonly Queue<MapPiece<TForm>> _ahead = [];
    private readonly Stack<MapPiece<TForm>> _unused = [];
    private readonly int _mostAhead;
    private long _next;
    private long _pieceLength;
    private int _piecesAhead = 1;
    private HostRun _held;
    private bool _isFirst = true;

    private MapWriter(RunRequest request, long start, long end, Utf8Output text, MapPlan plan)
    {
        _request = request;
        _start = start;
        _next = start;
        _end = end;
        _text = text;
        _pieceLength = plan.PieceLength;
        _mostAhead = Math.Max(1, Math.Min(Math.Min(plan.MostAhead, MaxBytesAhead / MapPiece<TForm>.MaxBytes), request.Chain.Translator.MostWalks));
    }

    /// <summary>Writes the map from <paramref name="start"/> to before <paramref name="end"/>, both inside the disk.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="start">In bytes.</param>
    /// <param name="end">In bytes.</param>
    /// <param name="text">Receives the entries.</param>
    /// <param name="plan">How it is cut into pieces.</param>
    /// <returns>Whether there was anything to write.</returns>
    public static bool Write(RunRequest request, long start, long end, Utf8Output text, MapPlan plan)
    {
        using MapWriter<TForm> writer = new(request, start, end, text, plan);
        return writer.Write();
    }

    public void Dispose()
    {
        DropAhead();
        foreach (MapPiece<TForm> piece in _unused)
        {
            piece.Dispose();
        }
    }

    private bool Write()
    {
        for (FillAhead(); _ahead.TryPeek(out MapPiece<TForm>? piece); FillAhead())
        {
            piece.Wait();
            Join(piece);
            if (!piece.IsComplete)
            {
                WriteHeld();
                piece.ThrowError();
            }

            _unused.Push(_ahead.Dequeue());
            Plan(piece);
        }

        WriteHeld();
        return !_isFirst;
    }

    private void FillAhead()
    {
        while (_ahead.Count < _piecesAhead && _next < _end)
        {
            MapPiece<TForm> piece = _unused.TryPop(out MapPiece<TForm>? used) ? used : new(_request);
            long start = _next;
            _next = _end - start > _pieceLength ? ((start / _pieceLength) + 1) * _pieceLength : _end;

            // The first may be all there is of a short range, whose tables may be known.
            bool walks = start != _start && _request.Chain.Translator.MostWalks > 0;
            piece.Begin(start, _next, _end, walks ? null : _request.Chain.Translator, alone: _piecesAhead == 1);
            _ahead.Enqueue(piece);
        }
    }

    /// <summary>Learns from a piece how long the next ones should be, and how many of them to begin at once.</summary>
    private void Plan(MapPiece<TForm> piece)
    {
        // Those begun before the length was changed last have nothing new to say.
        if (piece.Runs < ManyRuns && piece.PlannedEnd - piece.Start >= _pieceLength)
        {
            _pieceLength = Math.Min(2 * _pieceLength, LongestPiece);
        }

        if (piece.End == piece.PlannedEnd)
        {
            _piecesAhead = Math.Min(2 * _piecesAhead, _mostAhead);
            return;
        }

        // It is only a part of one run, which continues, or there were too many: what was begun after it does not fit.
        DropAhead();
        _next = piece.End;
        _piecesAhead = 1;
        if (piece.End < piece.PlannedEnd)
        {
            _pieceLength = Math.Max(_pieceLength / 2, MapPlan.ShortestPiece);
        }
    }

    private void Join(MapPiece<TForm> piece)
    {
        if (piece.Runs > 0 && (_held.Length == 0 || !HostRun.TryExtend(ref _held, piece.First)))
        {
            WriteHeld();
            _held = piece.First;
        }

        if (piece.Runs > 1)
        {
            WriteHeld();
            _text.Text(piece.Between);
            _held = piece.Last;
        }
    }

    private void WriteHeld()
    {
        if (_held.Length > 0)
        {
            TForm.WriteEntry(_text, _held, _isFirst);
            _isFirst = false;
            _held = default;
        }
    }

    /// <summary>Of no use, but they must be left alone before their buffers are used again.</summary>
    private void DropAhead()
    {
        while (_ahead.TryDequeue(out MapPiece<TForm>? piece))
        {
            piece.Wait();
            _unused.Push(piece);
        }
    }
}
