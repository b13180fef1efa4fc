using Shared;

namespace Qcow2Stream.FileSystems.Entries;

/// <summary>
/// Makes one kind of error of all that readers of file systems throw. A damaged file system makes DiscUtils' throw nearly
/// anything, from <see cref="IndexOutOfRangeException"/> to <see cref="NullReferenceException"/>: all of it comes out as a
/// <see cref="GuestException"/>, with its message. What the disk image itself can't give keeps its own, and so does an end
/// that the caller brings about.
/// </summary>
internal static class ReaderErrors
{
    public static T Call<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (IsForeign(e))
        {
            throw Translate(e);
        }
    }

    /// <summary>Hands the items on one by one: readers of a damaged directory get what is before the damage.</summary>
    public static IEnumerable<T> Each<T>(Func<IEnumerable<T>> read)
    {
        using IEnumerator<T> items = Call(() => read().GetEnumerator());
        while (Call(items.MoveNext))
        {
            yield return items.Current;
        }
    }

    /// <summary>Whether an exception isn't one that callers of this library are told to expect.</summary>
    public static bool IsForeign(Exception e) => e is not (
        Qcow2Exception or GuestException or OutOfMemoryException or OperationCanceledException or ObjectDisposedException);

    public static GuestException Translate(Exception e) => new(Describe(e), e);

    private static string Describe(Exception e) => e is IOException or NotSupportedException
        ? PrintableText.Escape(e.Message)
        : $"its reader failed ({e.GetType().Name}: {PrintableText.Escape(e.Message)})";
}
