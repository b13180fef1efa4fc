using System.Diagnostics;

namespace Qcow2Stream.Text;

/// <summary>Results of what was called with <c>async: false</c>: everything has happened before such a call returns.</summary>
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
}
