using DiscUtils.Streams;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Layers;
using Shared;

namespace Qcow2Stream.Copying;

/// <summary>Copies of a disk: nothing is written after a piece that can't be read.</summary>
internal static class ChainCopy
{
    /// <summary>Copies the bytes from <paramref name="start"/> to before <paramref name="end"/>, both inside the disk.</summary>
    /// <param name="chain">The disk.</param>
    /// <param name="start">In bytes.</param>
    /// <param name="end">In bytes.</param>
    /// <param name="target">Receives them.</param>
    /// <param name="written">Receives, after each piece, where the next one starts.</param>
    /// <param name="progress">Receives, after each piece, how many bytes are done.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    public static async Task RunAsync(
        OpenChain chain, long start, long end, Stream target, Action<long>? written, IProgress<WorkProgress>? progress, bool async, CancellationToken cancellationToken)
    {
        using Operation? operation = Operation.Copy();
        try
        {
            await CopyAsync(chain, start, end, target, written, progress, async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            operation?.Failed(e);
            throw;
        }
    }

    /// <summary>Copies what is stored of the whole disk, and of that no block of zeros.</summary>
    /// <param name="chain">The disk.</param>
    /// <param name="target">Where it is to start; what is not written there must read as zeros.</param>
    /// <param name="progress">Receives, after each piece, how many of the stored bytes are done. For their total, the tables are walked first.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    public static async Task RunSparseAsync(
        OpenChain chain, Stream target, IProgress<WorkProgress>? progress, bool async, CancellationToken cancellationToken)
    {
        using Operation? operation = Operation.Copy();
        try
        {
            await CopySparseAsync(chain, target, progress, async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            operation?.Failed(e);
            throw;
        }
    }

    private static async Task CopyAsync(
        OpenChain chain, long start, long end, Stream target, Action<long>? written, IProgress<WorkProgress>? progress, bool async, CancellationToken cancellationToken)
    {
        ByteCount count = new(progress, end - start);
        PieceReader pieces = new(chain, [new StreamExtent(start, end - start)], PieceReader.PieceLength(chain), async, cancellationToken);
        await using (pieces.ConfigureAwait(false))
        {
            while (await pieces.NextAsync().ConfigureAwait(false) is { } piece)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (async)
                {
                    await target.WriteAsync(piece.Bytes, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    target.Write(piece.Bytes.Span);
                }

                written?.Invoke(piece.End);
                count.Add(piece.Length);
            }
        }
    }

    private static async Task CopySparseAsync(
        OpenChain chain, Stream target, IProgress<WorkProgress>? progress, bool async, CancellationToken cancellationToken)
    {
        ByteCount count = new(
            progress, progress is null ? 0 : StoredRanges.Of(chain, 0, chain.Length, cancellationToken).Sum(e => e.Length));
        SparseWriter writer = new(target);
        PieceReader pieces = new(chain, StoredRanges.Of(chain, 0, chain.Length, cancellationToken), PieceReader.PieceLength(chain), async, cancellationToken);
        await using (pieces.ConfigureAwait(false))
        {
            while (await pieces.NextAsync().ConfigureAwait(false) is { } piece)
            {
                cancellationToken.ThrowIfCancellationRequested();
                writer.SkipTo(piece.Start);
                if (async)
                {
                    await writer.WriteAsync(piece.Bytes, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    writer.Write(piece.Bytes.Span);
                }

                count.Add(piece.Length);
            }
        }

        writer.Finish(chain.Length);
    }
}
