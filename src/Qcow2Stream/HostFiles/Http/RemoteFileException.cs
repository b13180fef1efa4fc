namespace Qcow2Stream.HostFiles.Http;

/// <summary>A server's answer that asking again would not change.</summary>
/// <param name="message">What is wrong, and what to do.</param>
/// <param name="cause">What was thrown.</param>
/// <param name="hint">The part of the message that says which option helps, as code; null if none does.</param>
internal sealed class RemoteFileException(string message, Exception? cause = null, string? hint = null) : IOException(message, cause)
{
    public string? Hint { get; } = hint;
}
