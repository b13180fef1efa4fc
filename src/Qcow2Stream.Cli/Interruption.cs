using System.Runtime.InteropServices;

namespace Qcow2Stream.Cli;

/// <summary>
/// Ctrl-C and kill as a token: what is under way ends in its own time, and leaves nothing behind. A second signal ends the
/// process at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interruption()
    {
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Cancel),
        ];
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Does what reads a disk, and ends it in an <see cref="OperationCanceledException"/>: a read that waits for a server is not waited for.</summary>
    /// <param name="disks">Are closed by a signal, which ends reads of them.</param>
    /// <param name="work">Reads the disks.</param>
    public void Run(ReadOnlySpan<Qcow2Chain> disks, Action work)
    {
        foreach (Qcow2Chain disk in disks)
        {
            _source.Token.Register(disk.Dispose);
        }

        try
        {
            work();
        }
        catch (ObjectDisposedException) when (_source.IsCancellationRequested)
        {
            _source.Token.ThrowIfCancellationRequested();
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Cancel(PosixSignalContext context)
    {
        context.Cancel = !_source.IsCancellationRequested;
        _source.Cancel();
    }
}
