using System.Buffers;
using System.Runtime.ExceptionServices;
using DiscUtils.Streams;
using Qcow2Stream.Layers;

namespace Qcow2Stream.Copying;

/// <summary>
/// Reads ranges of the disk in pieces: several at once, each on one core, which come out in their order. What goes wrong comes
/// out in its turn, after the pieces before it.
/// </summary>
/// <remarks>Belongs to one user at a time.</remarks>
internal sealed class PieceReader : IAsyncDisposable
{
    // Small enough to stay in a core's cache between reading and use, and for work to be shared evenly.
    private const int SmallPiece = 512 << 10;

    // Eight pieces a core keep all busy whatever one of them takes; on machines with many cores this is the limit.
    private const int MaxBytesAhead = 16 << 20;

    private readonly OpenChain _chain;
    private readonly bool _async;
    private readonly CancellationToken _callers;
    private readonly CancellationTokenSource _abandoned;
    private readonly int _pieceLength;
    private readonly int _piecesAhead;
    private readonly IEnumerator<StreamExtent> _ranges;
    private readonly Queue<Piece> _ahead = [];
    private readonly Stack<byte[]> _buffers = [];
    private Piece? _current;
    private long _next;
    private long _rangeEnd;
    private bool _hasNext;
    private ExceptionDispatchInfo? _rangeError;

    /// <summary>Begins with the first pieces when the first is asked for.</summary>
    /// <param name="chain">The disk.</param>
    /// <param name="ranges">In order, none overlapping, all inside the disk; enumerated as far as is read ahead.</param>
    /// <param name="pieceLength">Pieces end at multiples of it, see <see cref="PieceLength"/>.</param>
    /// <param name="async">False: what this returns has completed.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public PieceReader(
        OpenChain chain, IEnumerable<StreamExtent> ranges, int pieceLength, bool async, CancellationToken cancellationToken)
    {
        _chain = chain;
        _async = async;
        _callers = cancellationToken;
        _abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _pieceLength = pieceLength;
        _piecesAhead = Math.Clamp(MaxBytesAhead / pieceLength, 2, 8 * Environment.ProcessorCount);
        _ranges = ranges.GetEnumerator();
        Advance();
    }

    /// <summary>A length that suits chains, in bytes: a piece that were a part of a compressed cluster would have the rest of it decompressed for nothing.</summary>
    public static int PieceLength(params ReadOnlySpan<OpenChain> chains)
    {
        int length = SmallPiece;
        foreach (OpenChain chain in chains)
        {
            length = Math.Max(length, chain.LargestCluster);
        }

        return length;
    }

    /// <summary>Where the piece that <see cref="NextAsync"/> gives, or fails to read, starts, in bytes.</summary>
    public long Position { get; private set; }

    /// <summary>The next piece, whose bytes stay as they are until the next call; null after the last.</summary>
    /// <exception cref="Qcow2Exception">It can't be read.</exception>
    public async ValueTask<Piece?> NextAsync()
    {
        if (_current is { } used)
        {
            _buffers.Push(used.Buffer);
            _current = null;
        }

        ReadAhead();
        if (!_ahead.TryPeek(out Piece piece))
        {
            _rangeError?.Throw();
            return null;
        }

        Position = piece.Start;
        if (_async)
        {
            await piece.Read.ConfigureAwait(false);
        }
        else
        {
            // A read that hangs, in a server or a file system, isn't waited for.
            Wait(piece.Read, _abandoned.Token);
        }

        _current = _ahead.Dequeue();
        return _current;
    }

    /// <summary>Pieces that nobody asked for are of no use, but their buffers must be left alone before they are given back.</summary>
    public async ValueTask DisposeAsync()
    {
        _abandoned.Cancel();
        foreach (Piece piece in _ahead)
        {
            if (!_async && _callers.IsCancellationRequested && !piece.Read.IsCompleted)
            {
                // Its buffer is left to it.
                _ = piece.Read.ContinueWith(static read => read.Exception, TaskContinuationOptions.OnlyOnFaulted);
                continue;
            }

            if (!_async)
            {
                Task.WaitAny(piece.Read);
            }

            // The caller gets the error of an earlier piece.
            await piece.Read.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _buffers.Push(piece.Buffer);
        }

        if (_current is { } used)
        {
            _buffers.Push(used.Buffer);
        }

        foreach (byte[] buffer in _buffers)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        _ranges.Dispose();
        _abandoned.Dispose();
    }

    private void ReadAhead()
    {
        while (_ahead.Count < _piecesAhead && _hasNext)
        {
            long start = _next;
            int length = (int)Math.Min(_rangeEnd - start, _pieceLength - (start % _pieceLength));
            _next = start + length;
            Advance();
            byte[] buffer = _buffers.TryPop(out byte[]? used) ? used : ArrayPool<byte>.Shared.Rent(_pieceLength);
            try
            {
                _ahead.Enqueue(new Piece(start, length, buffer, Start(start, buffer.AsMemory(0, length))));
            }
            catch
            {
                _buffers.Push(buffer);
                throw;
            }
        }
    }

    /// <summary>Goes on to the next range where one is done.</summary>
    private void Advance()
    {
        _hasNext = true;
        try
        {
            while (_next == _rangeEnd)
            {
                if (!_ranges.MoveNext())
                {
                    _hasNext = false;
                    return;
                }

                (_next, _rangeEnd) = (_ranges.Current.Start, _ranges.Current.Start + _ranges.Current.Length);
            }
        }
        catch (Exception e) when (e is Qcow2Exception or ObjectDisposedException or OperationCanceledException)
        {
            _hasNext = false;
            _rangeError = ExceptionDispatchInfo.Capture(e);
        }
    }

    /// <summary>Waits for a read, and throws what it threw, as it was thrown.</summary>
    private static void Wait(Task read, CancellationToken cancellationToken)
    {
        Task.WaitAny([read], cancellationToken);
        read.GetAwaiter().GetResult();
    }

    private Task Start(long start, Memory<byte> bytes)
    {
        if (_async)
        {
            return _chain.ReadAsync(start, bytes, _abandoned.Token, maxCores: 1).AsTask();
        }

        // One piece alone is read here and now, unless that may have to be left.
        if (_ahead.Count == 0 && !_hasNext && !_callers.CanBeCanceled)
        {
            Position = start;
            _chain.Read(start, bytes.Span, maxCores: 1);
            return Task.CompletedTask;
        }

        return Task.Run(() => _chain.Read(start, bytes.Span, maxCores: 1), _abandoned.Token);
    }

    /// <summary>A part of the disk.</summary>
    /// <param name="Start">Where it starts, in bytes.</param>
    /// <param name="Length">In bytes.</param>
    /// <param name="Buffer">Holds it from its start on.</param>
    /// <param name="Read">Its reading.</param>
    internal readonly record struct Piece(long Start, int Length, byte[] Buffer, Task Read)
    {
        public long End => Start + Length;

        public ReadOnlyMemory<byte> Bytes => Buffer.AsMemory(0, Length);
    }
}
