namespace Qcow2Stream.HostFiles.Http;

/// <summary>A failure that may be temporary.</summary>
/// <param name="message">What failed.</param>
/// <param name="retryAfter">How long the server asks to wait; null if it does not say.</param>
/// <param name="cause">What was thrown.</param>
internal sealed class TransientHttpException(string message, TimeSpan? retryAfter = null, Exception? cause = null)
    : IOException(message, cause)
{
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
