namespace Qcow2Stream.HostFiles.Http;

/// <summary>A server's answer that asking again would not change.</summary>
/// <param name="message">What is wrong, and what to do.</param>
/// <param name="cause">What was thrown.</param>
internal sealed class RemoteFileException(string message, Exception? cause = null) : IOException(message, cause);
