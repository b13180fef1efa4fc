using Qcow2Stream.Layers;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>
/// A piece of a map in a form: its first and its last run, which may continue in the neighbouring pieces, and between them the
/// entries that can't change any more.
/// </summary>
/// <remarks>Belongs to one thread at a time.</remarks>
internal sealed class MapPiece<TForm>(RunRequest request) : IDisposable
    where TForm : struct, IMapForm
{
    // Bounds the memory, whatever the images say.
    private const int MaxText = 1 << 20;

    private readonly Utf8Output _between = new(output: null);
    private HostRun _first;
    private HostRun _last;
    private ChainTranslator? _walking;
    private Task _filled = Task.CompletedTask;

    /// <summary>The memory that a piece takes at most besides its tables, in bytes: twice the text, as a buffer doubles.</summary>
    public const int MaxBytes = 2 * MaxText;

    /// <summary>Where it starts, in bytes of the disk.</summary>
    public long Start { get; private set; }

    /// <summary>Where it was meant to end, in bytes of the disk.</summary>
    public long PlannedEnd { get; private set; }

    /// <summary>
    /// Where it ends, in bytes of the disk: past <see cref="PlannedEnd"/> if up to there it is a single run, which continues;
    /// before it if there are too many for one piece.
    /// </summary>
    public long End { get; private set; }

    /// <summary>How many runs it has.</summary>
    public int Runs { get; private set; }

    public ref readonly HostRun First => ref _first;

    /// <summary>The last run, where there are two or more.</summary>
    public ref readonly HostRun Last => ref _last;

    /// <summary>The entries between <see cref="First"/> and <see cref="Last"/>.</summary>
    public ReadOnlySpan<byte> Between => _between.Collected;

    /// <summary>False if an error ended it: what comes before is here.</summary>
    public bool IsComplete => _filled.IsCompletedSuccessfully;

    /// <summary>Starts to make this the piece from <paramref name="start"/> to <paramref name="end"/>.</summary>
    /// <param name="start">In bytes of the disk.</param>
    /// <param name="end">In bytes of the disk.</param>
    /// <param name="mapEnd">The end of the map: how far a run that covers all from start to end may extend.</param>
    /// <param name="translator">Null: one for a walk, which is kept for the next piece.</param>
    /// <param name="alone">Whether there is nothing else to do meanwhile.</param>
    public void Begin(long start, long end, long mapEnd, ChainTranslator? translator, bool alone)
    {
        translator ??= _walking ??= request.Chain.Translator.ForWalk();
        (Start, PlannedEnd) = (start, end);
        _filled = new Task(() => Fill(start, end, mapEnd, translator));
        if (alone)
        {
            _filled.RunSynchronously(TaskScheduler.Default);
        }
        else
        {
            _filled.Start(TaskScheduler.Default);
        }
    }

    /// <summary>Waits until it is complete or an error ended it. What was not begun yet is done here and now.</summary>
    public void Wait() => _filled.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();

    public void ThrowError() => _filled.GetAwaiter().GetResult();

    public void Dispose() => _between.Dispose();

    private void Fill(long start, long end, long mapEnd, ChainTranslator translator)
    {
        _between.Clear();
        Runs = 0;
        MergedRuns<HostRun, TranslatedRuns<TForm>> runs = new(new(request, translator, start, end, mapEnd));
        while (runs.TryNext(out HostRun run))
        {
            if (_between.Collected.Length > MaxText)
            {
                return;
            }

            if (Runs == 0)
            {
                _first = run;
            }
            else
            {
                if (Runs > 1)
                {
                    TForm.WriteEntry(_between, _last, isFirst: false);
                }

                _last = run;
            }

            Runs++;
            End = run.GuestEnd;
        }
    }
}
