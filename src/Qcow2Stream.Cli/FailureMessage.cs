using System.Reflection;

namespace Qcow2Stream.Cli;

/// <summary>What a command failed of, in a line.</summary>
internal static class FailureMessage
{
    public static string Of(Exception failure) => "qcow2: " + Innermost(failure) switch
    {
        Qcow2Exception or IOException or UnauthorizedAccessException => OptionWords.Of(Innermost(failure)),
        OutOfMemoryException => "out of memory: more is needed than the program may take, or than the system gives (an image or a guest's file system may be damaged)",
        InsufficientExecutionStackException => "out of stack: what an image or a guest's file system says leads too deep (it may be damaged)",
        var other => $"an error that should not be ({other.GetType().Name}): {other.Message}",
    };

    /// <summary>The runtime wraps what it meets in exceptions that say nothing.</summary>
    private static Exception Innermost(Exception failure) =>
        failure is TypeInitializationException or TaskSchedulerException or TargetInvocationException or AggregateException && failure.InnerException is { } inner
            ? Innermost(inner)
            : failure;
}
