using System.Runtime.ExceptionServices;

namespace Qcow2Stream;

/// <summary>The one rule by which neighbouring extents become one, and the one loop that applies it.</summary>
internal static class MapMerging
{
    /// <summary>
    /// Merges neighbours as they come; at most one extent is held back, and it is told before an error that ends the
    /// enumeration is.
    /// </summary>
    public static IEnumerable<MapExtent> Merge(this IEnumerable<MapExtent> extents)
    {
        using IEnumerator<MapExtent> source = extents.GetEnumerator();
        MapExtent held = default;
        ExceptionDispatchInfo? error;
        while (MoveNext(source, out error))
        {
            MapExtent next = source.Current;
            if (held.Length == 0)
            {
                held = next;
            }
            else if (Continues(held, next))
            {
                held = held with
                {
                    Length = held.Length + next.Length,
                    HostLength = held.Kind == MapKind.Compressed ? held.HostLength : held.HostLength + next.HostLength,
                };
            }
            else
            {
                yield return held;
                held = next;
            }
        }

        if (held.Length > 0)
        {
            yield return held;
        }

        error?.Throw();
    }

    private static bool MoveNext(IEnumerator<MapExtent> source, out ExceptionDispatchInfo? error)
    {
        error = null;
        try
        {
            return source.MoveNext();
        }
        catch (Qcow2Exception e)
        {
            error = ExceptionDispatchInfo.Capture(e);
            return false;
        }
    }

    /// <summary>
    /// Whether <paramref name="next"/> goes on where <paramref name="extent"/> ends: of one kind, from one layer, and
    /// in the file too, if they are in one. Parts of a compressed cluster go on inside the decompressed cluster.
    /// </summary>
    private static bool Continues(in MapExtent extent, in MapExtent next)
    {
        if (extent.End != next.Start || extent.Kind != next.Kind || extent.Depth != next.Depth)
        {
            return false;
        }

        if (extent.Kind == MapKind.Compressed && extent.HostOffset is not null)
        {
            return extent.HostOffset == next.HostOffset
                && extent.HostLength == next.HostLength
                && extent.OffsetInCluster + extent.Length == next.OffsetInCluster;
        }

        return extent.HostOffset + extent.Length == next.HostOffset
            || (extent.HostOffset is null && next.HostOffset is null);
    }
}
