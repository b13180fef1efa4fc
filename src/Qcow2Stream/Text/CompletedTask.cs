using System.Diagnostics;

namespace Qcow2Stream.Text;

/// <summary>Results of what was called with <c>async: false</c>: everything has happened before such a call returns.</summary>
/// <remarks>
/// The rule: what does I/O now and then (headers, tables, directories, whole copies) has one asynchronous body with a parameter
/// <c>async</c>, and its synchronous twin is a call of that with <c>false</c> and <c>Now()</c>. Only the loops that every byte
/// or run passes are written twice, where a state machine or a span that can't live across an await would cost more than the work:
/// the read loop, the reads of layers and host files, and the listing of runs.
/// </remarks>
internal static class CompletedTask
{
    /// <summary>The result, or what was thrown.</summary>
    public static T Now<T>(this ValueTask<T> task)
    {
        Debug.Assert(task.IsCompleted, "with async: false everything has happened before the call returns");
        return task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="Now{T}(ValueTask{T})"/>
    public static void Now(this ValueTask task)
    {
        Debug.Assert(task.IsCompleted, "with async: false everything has happened before the call returns");
        task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="Now{T}(ValueTask{T})"/>
    public static T Now<T>(this Task<T> task)
    {
        Debug.Assert(task.IsCompleted, "with async: false everything has happened before the call returns");
        return task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="Now{T}(ValueTask{T})"/>
    public static void Now(this Task task)
    {
        Debug.Assert(task.IsCompleted, "with async: false everything has happened before the call returns");
        task.GetAwaiter().GetResult();
    }

    /// <summary>The items of what was called with <c>async: false</c>, one by one.</summary>
    public static IEnumerable<T> Now<T>(this IAsyncEnumerable<T> items)
    {
        IAsyncEnumerator<T> enumerator = items.GetAsyncEnumerator();
        try
        {
            while (enumerator.MoveNextAsync().Now())
            {
                yield return enumerator.Current;
            }
        }
        finally
        {
            enumerator.DisposeAsync().Now();
        }
    }
}
