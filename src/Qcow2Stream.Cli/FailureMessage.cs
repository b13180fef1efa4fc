namespace Qcow2Stream.Cli;

/// <summary>What a command failed of, in a line.</summary>
internal static class FailureMessage
{
    public static string Of(Exception failure) => "qcow2: " + failure switch
    {
        Qcow2Exception or IOException or UnauthorizedAccessException => OptionWords.Of(failure),
        OutOfMemoryException => "out of memory: more is needed than the program may take (an image or a guest's file system may be damaged)",
        InsufficientExecutionStackException => "out of stack: what an image or a guest's file system says leads too deep (it may be damaged)",
        _ => $"an error that should not be ({failure.GetType().Name}): {failure.Message}",
    };
}
