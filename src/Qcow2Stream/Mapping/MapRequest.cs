using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>What a map is asked of, and how.</summary>
/// <param name="Chain">The disk.</param>
/// <param name="Detail">How far to look.</param>
/// <param name="CancellationToken">Ends the map, also inside an extent that takes long to be told.</param>
internal readonly record struct MapRequest(Qcow2Chain Chain, RunDetail Detail, CancellationToken CancellationToken)
{
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    /// <exception cref="OperationCanceledException"><see cref="CancellationToken"/> was cancelled.</exception>
    public void ThrowIfEnded()
    {
        Chain.ThrowIfDisposed();
        CancellationToken.ThrowIfCancellationRequested();
    }
}
