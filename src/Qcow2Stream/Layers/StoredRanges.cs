using DiscUtils.Streams;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>The parts of disks that are stored: not zero, not unallocated, not a hole of a raw file.</summary>
internal static class StoredRanges
{
    /// <summary>The stored parts of a range, in order, neighbours merged. Lazy.</summary>
    /// <param name="chain">The disk.</param>
    /// <param name="start">Where the range starts, in bytes; 0 or more.</param>
    /// <param name="length">How long it is, in bytes; 0 or more. It is cut at the end of the disk.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    /// <exception cref="Qcow2Exception">A table is damaged; what comes before it was returned.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public static IEnumerable<StreamExtent> Of(OpenChain chain, long start, long length, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return List(Runs(chain, start, chain.Clip(start, length), cancellationToken));
    }

    /// <summary>
    /// The ranges that one of two disks or both store, from their start on, neighbours merged. Neither disk is asked further than
    /// up to the range that is returned. Lazy.
    /// </summary>
    /// <param name="first">One disk.</param>
    /// <param name="second">The other.</param>
    /// <param name="length">How far, in bytes; neither disk is shorter.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <inheritdoc cref="Of" path="/exception"/>
    public static IEnumerable<StreamExtent> OfEither(OpenChain first, OpenChain second, long length, CancellationToken cancellationToken) =>
        Either(first, second, length, cancellationToken).Merge().Where(r => r.Key).Select(r => new StreamExtent(r.Start, r.Length));

    private static IEnumerable<StreamExtent> List(MergedRuns<HostRun, TranslatedRuns<StoredView>> runs)
    {
        while (runs.TryNext(out HostRun run))
        {
            if (run.Kind == RunKind.Data)
            {
                yield return new StreamExtent(run.GuestOffset, run.Length);
            }
        }
    }

    private static IEnumerable<MapRange<bool>> Either(OpenChain first, OpenChain second, long length, CancellationToken cancellationToken)
    {
        MergedRuns<HostRun, TranslatedRuns<StoredView>> ones = Runs(first, 0, length, cancellationToken);
        MergedRuns<HostRun, TranslatedRuns<StoredView>> others = Runs(second, 0, length, cancellationToken);
        HostRun one = default;
        HostRun other = default;
        for (long position = 0; position < length; position = Math.Min(one.GuestEnd, other.GuestEnd))
        {
            // Neither listing has gaps, so there is a next run wherever the last one ends before the range.
            if (one.GuestEnd <= position)
            {
                ones.TryNext(out one);
            }

            if (other.GuestEnd <= position)
            {
                others.TryNext(out other);
            }

            yield return new MapRange<bool>(
                position, Math.Min(one.GuestEnd, other.GuestEnd) - position, one.Kind == RunKind.Data || other.Kind == RunKind.Data);
        }
    }

    private static MergedRuns<HostRun, TranslatedRuns<StoredView>> Runs(
        OpenChain chain, long start, long length, CancellationToken cancellationToken) =>
        new(new(new RunRequest(chain, RunDetail.HostHoles, cancellationToken), chain.Translator, start, start + length, start + length));
}
