using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>What the runs of a disk are asked for, and how.</summary>
/// <param name="Chain">The disk.</param>
/// <param name="Detail">How far to look.</param>
/// <param name="CancellationToken">Ends the listing, also inside an extent that takes long to find.</param>
internal readonly record struct RunRequest(OpenChain Chain, RunDetail Detail, CancellationToken CancellationToken)
{
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    /// <exception cref="OperationCanceledException"><see cref="CancellationToken"/> was cancelled.</exception>
    public void ThrowIfEnded()
    {
        Chain.ThrowIfDisposed();
        CancellationToken.ThrowIfCancellationRequested();
    }
}
