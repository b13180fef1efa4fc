using System.Buffers;

namespace Qcow2Stream;

/// <summary>
/// Copies a range of the disk into a stream: pieces are read ahead, several at once, each on one core, and written in
/// their order. Nothing is written behind a piece that can't be read.
/// </summary>
internal sealed class ChainCopy
{
    // Small enough to stay in a core's cache between reading and writing, and for work to be shared evenly.
    private const int SmallPiece = 512 << 10;

    // Eight pieces a core keep all busy whatever one of them takes; on machines with many cores this is the limit.
    private const int MaxBytesAhead = 16 << 20;

    private readonly Qcow2Chain _chain;
    private readonly Stream _target;
    private readonly bool _async;
    private readonly int _pieceLength;
    private readonly int _piecesAhead;
    private readonly long _end;
    private readonly Queue<Piece> _ahead = [];
    private readonly Stack<byte[]> _buffers = [];
    private long _next;

    private ChainCopy(Qcow2Chain chain, long start, long end, Stream target, bool async)
    {
        _chain = chain;
        _next = start;
        _end = end;
        _target = target;
        _async = async;

        // A piece that were a part of a compressed cluster would have the rest of it decompressed for nothing.
        _pieceLength = Math.Max(SmallPiece, chain.LargestCluster);
        _piecesAhead = Math.Clamp(MaxBytesAhead / _pieceLength, 2, 8 * Environment.ProcessorCount);
    }

    /// <summary>Copies the bytes from <paramref name="start"/> to before <paramref name="end"/>, both inside the disk.</summary>
    /// <param name="chain">The disk.</param>
    /// <param name="start">In bytes.</param>
    /// <param name="end">In bytes.</param>
    /// <param name="target">Receives them.</param>
    /// <param name="written">Is told, after each piece, where the next one starts.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    public static async Task RunAsync(
        Qcow2Chain chain, long start, long end, Stream target, Action<long>? written, bool async, CancellationToken cancellationToken)
    {
        using CancellationTokenSource abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ChainCopy copy = new(chain, start, end, target, async);
        try
        {
            await copy.RunAsync(written, cancellationToken, abandoned.Token).ConfigureAwait(false);
        }
        finally
        {
            // Pieces behind an error are of no use, but their buffers must be left alone before they are given back.
            abandoned.Cancel();
            await copy.EndAsync().ConfigureAwait(false);
        }
    }

    private async Task RunAsync(Action<long>? written, CancellationToken cancellationToken, CancellationToken abandoned)
    {
        for (ReadAhead(abandoned); _ahead.TryPeek(out Piece piece); ReadAhead(abandoned))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_async)
            {
                await piece.Read.ConfigureAwait(false);
                await _target.WriteAsync(piece.Bytes, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                piece.Read.GetAwaiter().GetResult();
                _target.Write(piece.Bytes.Span);
            }

            _buffers.Push(_ahead.Dequeue().Buffer);
            written?.Invoke(piece.End);
        }
    }

    private void ReadAhead(CancellationToken abandoned)
    {
        while (_ahead.Count < _piecesAhead && _next < _end)
        {
            long start = _next;
            _next = Math.Min(_end, ((start / _pieceLength) + 1) * _pieceLength);
            byte[] buffer = _buffers.TryPop(out byte[]? used) ? used : ArrayPool<byte>.Shared.Rent(_pieceLength);
            Memory<byte> bytes = buffer.AsMemory(0, (int)(_next - start));
            try
            {
                _ahead.Enqueue(new Piece(buffer, bytes, _next, Start(start, bytes, abandoned)));
            }
            catch
            {
                _buffers.Push(buffer);
                throw;
            }
        }
    }

    private Task Start(long start, Memory<byte> bytes, CancellationToken abandoned)
    {
        if (_async)
        {
            return _chain.ReadPieceAsync(start, bytes, abandoned);
        }

        // One piece alone is read here and now.
        if (_ahead.Count == 0 && _next == _end)
        {
            _chain.ReadPiece(start, bytes.Span);
            return Task.CompletedTask;
        }

        return Task.Run(() => _chain.ReadPiece(start, bytes.Span), abandoned);
    }

    private async Task EndAsync()
    {
        foreach (Piece piece in _ahead)
        {
            if (!_async)
            {
                Task.WaitAny(piece.Read);
            }

            // What went wrong in front of it is what the caller is told.
            await piece.Read.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _buffers.Push(piece.Buffer);
        }

        foreach (byte[] buffer in _buffers)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private readonly record struct Piece(byte[] Buffer, ReadOnlyMemory<byte> Bytes, long End, Task Read);
}
