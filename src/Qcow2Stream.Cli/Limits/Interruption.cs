using System.Runtime.InteropServices;

namespace Qcow2Stream.Cli.Limits;

/// <summary>
/// What ends a command from outside: Ctrl+C, a request to terminate, a terminal that closes, the time that --timeout gives. The first one is reported,
/// so that work can be brought to an end and leaves nothing behind; a second signal ends the program at once, as if nobody listened. What comes within a
/// second of the first is that one again: terminals and other programs tell a process and then its group.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private static volatile Interruption? _listening;
    private static volatile bool _isOver;

    private const long OneSignalMilliseconds = 1000;

    // Not disposed: a signal may be on its way when nobody listens any more, and there is nothing to give back.
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private long _told = long.MaxValue;

    /// <summary>Listens until it is disposed.</summary>
    /// <exception cref="OperationCanceledException">The end has come already: nothing is to be begun.</exception>
    public Interruption()
    {
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Tell),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Tell),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Tell),
        ];
        _listening = this;
        if (_isOver)
        {
            Dispose();
            throw new OperationCanceledException();
        }
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Tells whoever listens to come to an end, also who only begins to.</summary>
    /// <returns>False if nobody does: the command has nothing to bring to an end.</returns>
    public static bool Tell()
    {
        _isOver = true;
        Interruption? listening = _listening;
        listening?._source.Cancel();
        return listening is not null;
    }

    /// <summary>Does what reads a disk, and ends it in an <see cref="OperationCanceledException"/>: a read that waits for a server is not waited for.</summary>
    /// <param name="disks">Are closed when the end comes, which ends reads of them.</param>
    /// <param name="work">Reads the disks.</param>
    /// <returns>What the work gives.</returns>
    public T Run<T>(ReadOnlySpan<IDisposable> disks, Func<T> work)
    {
        foreach (IDisposable disk in disks)
        {
            _source.Token.Register(disk.Dispose);
        }

        try
        {
            return work();
        }
        catch (ObjectDisposedException e) when (_source.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, _source.Token);
        }
    }

    public void Dispose()
    {
        _listening = null;
        Array.ForEach(_registrations, registration => registration.Dispose());
    }

    private void Tell(PosixSignalContext context)
    {
        long now = Environment.TickCount64;
        long first = Interlocked.CompareExchange(ref _told, now, long.MaxValue);
        context.Cancel = first == long.MaxValue || now - first < OneSignalMilliseconds;
        _source.Cancel();
    }
}
