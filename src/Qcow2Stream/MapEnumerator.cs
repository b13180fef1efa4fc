using System.Collections;
using System.Runtime.CompilerServices;
using Qcow2Stream.Layers;
using Qcow2Stream.Mapping;
using Qcow2Stream.Mapping.Picture;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream;

/// <summary>
/// The map of a chain, or of a range of it: lazily enumerated extents in the order of the guest's disk, without gaps
/// or overlaps, neighbours merged. The same translation that reading uses produces it.
/// </summary>
/// <remarks>
/// It takes constant memory, does work only as far as it is enumerated, and may be enumerated any number of times.
/// Safe to share between threads; each enumerator belongs to one. Enumerating throws <see cref="Qcow2Exception"/>
/// where a table is damaged, and <see cref="ObjectDisposedException"/> once the chain is disposed.
/// </remarks>
public sealed class MapEnumerator : IEnumerable<MapExtent>
{
    private readonly RunRequest _request;

    internal MapEnumerator(RunRequest request, long start, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        _request = request;
        RangeStart = Math.Min(start, request.Chain.Length);
        RangeLength = Math.Min(length, request.Chain.Length - RangeStart);
    }

    /// <summary>Where the range starts, in bytes of the guest's disk.</summary>
    public long RangeStart { get; }

    /// <summary>How long the range is, in bytes; 0 if it lies past the end of the disk.</summary>
    public long RangeLength { get; }

    private long RangeEnd => RangeStart + RangeLength;

    /// <summary>
    /// The same range with the holes that the host's file system knows in raw files shown separately
    /// (<see cref="MapKind.Hole"/>). Without it, a raw file is data from end to end, and the map depends on the
    /// images' metadata alone.
    /// </summary>
    public MapEnumerator WithHostHoles() => new(_request with { Detail = RunDetail.HostHoles }, RangeStart, RangeLength);

    /// <summary>
    /// The same range; enumerating it, or writing it, ends with an <see cref="OperationCanceledException"/> once the token is
    /// cancelled. An image can describe a disk whose map takes forever.
    /// </summary>
    /// <param name="cancellationToken">Is checked at each table, also while neighbours are merged.</param>
    public MapEnumerator WithCancellation(CancellationToken cancellationToken) =>
        new(_request with { CancellationToken = cancellationToken }, RangeStart, RangeLength);

    /// <summary>
    /// The range divided by the caller's key: neighbouring extents with the same key are merged. Lazy, in constant memory, without gaps.
    /// </summary>
    /// <typeparam name="TKey">Compared by <see cref="EqualityComparer{T}.Default"/>.</typeparam>
    /// <param name="key">What matters of an extent; <c>e =&gt; e.IsZero</c>, say.</param>
    /// <exception cref="Qcow2Exception">A table is damaged; what comes before it was returned. Thrown while enumerating, like all here.</exception>
    /// <exception cref="OperationCanceledException">The map was cancelled (<see cref="WithCancellation"/>).</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public IEnumerable<MapRange<TKey>> MergedBy<TKey>(Func<MapExtent, TKey> key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return this.Select(e => new MapRange<TKey>(e.Start, e.Length, key(e))).Merge();
    }

    /// <summary>
    /// The range in a few numbers: how much of it is stored, and what each layer holds, hides and wastes. It takes a walk through
    /// the tables of each layer, and no data is read.
    /// </summary>
    /// <returns>
    /// Where the range ends with the disk, a layer whose own disk is longer is counted to its end: what lies there is hidden.
    /// </returns>
    /// <exception cref="Qcow2Exception">A table is damaged.</exception>
    /// <exception cref="OperationCanceledException">The map was cancelled (<see cref="WithCancellation"/>).</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public MapSummary Summarize() => MapTally.Of(_request with { Detail = RunDetail.HostHoles }, RangeStart, RangeEnd);

    /// <summary>
    /// The same extents for callers that must not block a thread: tables that aren't in memory are read asynchronously, which
    /// matters for images on servers.
    /// </summary>
    /// <remarks>
    /// A method, not a second interface of this class: every use of LINQ would then have to say which of the two it means.
    /// </remarks>
    /// <param name="cancellationToken">Ends it, in addition to the token of <see cref="WithCancellation"/>.</param>
    /// <exception cref="Qcow2Exception">A table is damaged; what comes before it was returned. Thrown while enumerating, like all here.</exception>
    /// <exception cref="OperationCanceledException">A token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public async IAsyncEnumerable<MapExtent> AsAsyncEnumerable([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        IAsyncEnumerable<HostRun> runs = AsyncRuns.Of(_request, _request.Chain.Translator, RangeStart, RangeEnd, cancellationToken);
        await foreach (HostRun run in runs.MergeAsync().ConfigureAwait(false))
        {
            yield return ExtentDescription.Of(_request.Chain, run);
        }
    }

    /// <inheritdoc/>
    public IEnumerator<MapExtent> GetEnumerator()
    {
        OpenChain chain = _request.Chain;
        MergedRuns<HostRun, TranslatedRuns<ExactView>> runs = new(new(_request, chain.Translator, RangeStart, RangeEnd, RangeEnd));
        while (runs.TryNext(out HostRun run))
        {
            yield return ExtentDescription.Of(chain, run);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The range drawn, see <see cref="MapOutput.WriteSvg"/>.</summary>
    internal MapPicture Draw() => MapPicture.Of(_request with { Detail = RunDetail.HostHoles }, RangeStart, RangeLength);

    /// <summary>Writes the map as a form shows it: what it makes equal merges too.</summary>
    /// <returns>Whether there was anything to write.</returns>
    internal bool Write<TForm>(Utf8Output text)
        where TForm : struct, IMapForm =>
        MapWriter<TForm>.Write(_request, RangeStart, RangeEnd, text, MapPlan.For(_request.Chain));
}
