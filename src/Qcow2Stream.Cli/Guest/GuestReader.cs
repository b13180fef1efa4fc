using Shared;

namespace Qcow2Stream.Cli.Guest;

/// <summary>
/// Calls into DiscUtils' file system readers. A damaged file system makes them throw nearly anything, from
/// <see cref="IndexOutOfRangeException"/> to <see cref="NullReferenceException"/>: all of it comes out as one kind of
/// error, with its message. What the disk image itself can't give keeps its own.
/// </summary>
internal static class GuestReader
{
    public static T Call<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not (Qcow2Exception or GuestException or OutOfMemoryException))
        {
            throw new GuestException(Describe(e), e);
        }
    }

    /// <summary>Hands the items on one by one: whoever reads a damaged directory gets what stands before the damage.</summary>
    public static IEnumerable<T> Each<T>(Func<IEnumerable<T>> read)
    {
        using IEnumerator<T> items = Call(() => read().GetEnumerator());
        while (Call(items.MoveNext))
        {
            yield return items.Current;
        }
    }

    private static string Describe(Exception e) => e is IOException or NotSupportedException
        ? PrintableText.Escape(e.Message)
        : $"its reader failed ({e.GetType().Name}: {PrintableText.Escape(e.Message)})";
}
