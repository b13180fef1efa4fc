using System.Runtime.InteropServices;

namespace Qcow2Stream.Cli;

/// <summary>
/// The user's wish that the program ends: Ctrl+C, a request to terminate, a terminal that closes. The first one is reported, so that
/// work can be brought to an end and leaves nothing behind; the second ends the program at once, as if nobody listened.
/// </summary>
internal sealed class Interruption : IDisposable
{
    // Not disposed: a signal may be on its way when nobody listens any more, and there is nothing to give back.
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>Listens until it is disposed.</summary>
    public Interruption()
    {
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Tell),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Tell),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Tell),
        ];
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Does what reads a disk, and ends it in an <see cref="OperationCanceledException"/>: a read that waits for a server is not waited for.</summary>
    /// <param name="disks">Are closed by a signal, which ends reads of them.</param>
    /// <param name="work">Reads the disks.</param>
    public void Run(ReadOnlySpan<Qcow2Chain> disks, Action work) => Run(disks, () =>
    {
        work();
        return true;
    });

    /// <inheritdoc cref="Run(ReadOnlySpan{Qcow2Chain}, Action)"/>
    /// <returns>What the work gives.</returns>
    public T Run<T>(ReadOnlySpan<Qcow2Chain> disks, Func<T> work)
    {
        foreach (Qcow2Chain disk in disks)
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

    public void Dispose() => Array.ForEach(_registrations, registration => registration.Dispose());

    private void Tell(PosixSignalContext context)
    {
        context.Cancel = !_source.IsCancellationRequested;
        _source.Cancel();
    }
}
