using System.Collections;
using Qcow2Stream.Mapping;
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
    private readonly Qcow2Chain _chain;
    private readonly RunDetail _detail;

    internal MapEnumerator(Qcow2Chain chain, long start, long length, RunDetail detail = RunDetail.Metadata)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        _chain = chain;
        _detail = detail;
        RangeStart = Math.Min(start, chain.Length);
        RangeLength = Math.Min(length, chain.Length - RangeStart);
    }

    /// <summary>Where the range starts, in bytes of the guest's disk.</summary>
    public long RangeStart { get; }

    /// <summary>How long the range is, in bytes; 0 if it lies behind the end of the disk.</summary>
    public long RangeLength { get; }

    private long RangeEnd => RangeStart + RangeLength;

    /// <summary>
    /// The same range with the holes that the host's file system knows in raw files told apart
    /// (<see cref="MapKind.Hole"/>). Without it, a raw file is data from end to end, and the map is a function of the
    /// images' metadata alone.
    /// </summary>
    public MapEnumerator WithHostHoles() => new(_chain, RangeStart, RangeLength, RunDetail.HostHoles);

    /// <inheritdoc/>
    public IEnumerator<MapExtent> GetEnumerator()
    {
        MergedRuns<TranslatedRuns<ExactView>> runs = new(
            new(_chain, _chain.Translator, RangeStart, RangeEnd, RangeEnd, _detail));
        while (runs.TryNext(out HostRun run))
        {
            yield return _chain.Describe(run);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Writes the map as a form shows it: what it makes equal merges too.</summary>
    /// <returns>Whether there was anything to write.</returns>
    internal bool Write<TForm>(Utf8Output text)
        where TForm : struct, IMapForm =>
        MapWriter<TForm>.Write(_chain, RangeStart, RangeEnd, _detail, text);
}
