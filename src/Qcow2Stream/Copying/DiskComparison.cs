using DiscUtils.Streams;
using Qcow2Stream.Format;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Layers;

namespace Qcow2Stream.Copying;

/// <summary>Compares two disks byte by byte, where either of them stores anything.</summary>
internal static class DiskComparison
{
    /// <summary>Finds the first byte at which they differ; past its end a disk is zeros.</summary>
    /// <param name="first">One disk.</param>
    /// <param name="second">The other.</param>
    /// <param name="progress">Receives, after each piece, how many bytes of what either stores are compared.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the comparison.</param>
    /// <returns>The byte's position; null if there is none.</returns>
    public static async Task<long?> RunAsync(
        OpenChain first, OpenChain second, IProgress<WorkProgress>? progress, bool async, CancellationToken cancellationToken)
    {
        using Operation? operation = Operation.Compare();
        try
        {
            return await CompareAsync(first, second, progress, async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            operation?.Failed(e);
            throw;
        }
    }

    private static async Task<long?> CompareAsync(
        OpenChain first, OpenChain second, IProgress<WorkProgress>? progress, bool async, CancellationToken cancellationToken)
    {
        OpenChain longer = first.Length >= second.Length ? first : second;
        long common = Math.Min(first.Length, second.Length);
        ByteCount count = new(progress, progress is null ? 0 : TotalOf(first, second, cancellationToken));
        using SharedRanges stored = new(StoredRanges.OfEither(first, second, common, cancellationToken));
        IEnumerable<StreamExtent> rest = StoredRanges.Of(longer, common, longer.Length - common, cancellationToken);

        int pieceLength = PieceReader.PieceLength(first, second);
        PieceReader ones = new(first, stored.First, pieceLength, async, cancellationToken);
        PieceReader others = new(second, stored.Second, pieceLength, async, cancellationToken);
        PieceReader tail = new(longer, rest, pieceLength, async, cancellationToken);
        await using (ones.ConfigureAwait(false))
        await using (others.ConfigureAwait(false))
        await using (tail.ConfigureAwait(false))
        {
            try
            {
                while (await ones.NextAsync().ConfigureAwait(false) is { } one && await others.NextAsync().ConfigureAwait(false) is { } other)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    int same = one.Bytes.Span.CommonPrefixLength(other.Bytes.Span);
                    if (same < one.Length)
                    {
                        return one.Start + same;
                    }

                    count.Add(one.Length);
                }
            }
            catch (Qcow2Exception)
            {
                // In front of the damage there may be a difference, in the same piece.
                long start = Math.Max(ones.Position, others.Position);
                if (await FindInFrontOfDamageAsync(first, second, start, Math.Min(common, start + pieceLength), async, cancellationToken)
                    .ConfigureAwait(false) is { } difference)
                {
                    return difference;
                }

                throw;
            }

            while (await tail.NextAsync().ConfigureAwait(false) is { } piece)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int zeros = piece.Bytes.Span.IndexOfAnyExcept((byte)0);
                if (zeros >= 0)
                {
                    return piece.Start + zeros;
                }

                count.Add(piece.Length);
            }
        }

        return null;
    }

    private static long TotalOf(OpenChain first, OpenChain second, CancellationToken cancellationToken)
    {
        OpenChain longer = first.Length >= second.Length ? first : second;
        long common = Math.Min(first.Length, second.Length);
        return StoredRanges.OfEither(first, second, common, cancellationToken)
            .Concat(StoredRanges.Of(longer, common, longer.Length - common, cancellationToken)).Sum(e => e.Length);
    }

    /// <summary>Compares sector by sector until one can't be read.</summary>
    private static async ValueTask<long?> FindInFrontOfDamageAsync(
        OpenChain first, OpenChain second, long start, long end, bool async, CancellationToken cancellationToken)
    {
        byte[] one = new byte[Sector.Size];
        byte[] other = new byte[Sector.Size];
        try
        {
            for (long position = start; position < end; position += Sector.Size)
            {
                if (async)
                {
                    await first.ReadAsync(position, one, cancellationToken).ConfigureAwait(false);
                    await second.ReadAsync(position, other, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    first.Read(position, one);
                    second.Read(position, other);
                }

                int same = one.AsSpan().CommonPrefixLength(other);
                if (same < Sector.Size)
                {
                    return position + same;
                }
            }
        }
        catch (Qcow2Exception)
        {
            // This is where the damage is.
        }

        return null;
    }
}
