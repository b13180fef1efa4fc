using Qcow2Stream.Translation;

namespace Qcow2Stream;

/// <summary>A range of the guest's disk with one key: see <see cref="MapEnumerator.MergedBy"/>.</summary>
/// <typeparam name="TKey">What the caller distinguishes.</typeparam>
/// <param name="Start">Where the range starts in the guest's disk, in bytes.</param>
/// <param name="Length">How long it is, in bytes; at least 1.</param>
/// <param name="Key">What its parts have in common.</param>
public readonly record struct MapRange<TKey>(long Start, long Length, TKey Key) : IMergeable<MapRange<TKey>>
{
    /// <summary>The first byte of the guest's disk after the range.</summary>
    public long End => Start + Length;

    bool IMergeable<MapRange<TKey>>.IsEmpty => Length == 0;

    static bool IMergeable<MapRange<TKey>>.TryExtend(ref MapRange<TKey> item, in MapRange<TKey> next)
    {
        if (item.End != next.Start || !EqualityComparer<TKey>.Default.Equals(item.Key, next.Key))
        {
            return false;
        }

        item = item with { Length = item.Length + next.Length };
        return true;
    }
}
