namespace Qcow2Stream.Opening;

/// <summary>Carries the reason why a named file is not opened from the gate to the opener, which reports it with the whole chain.</summary>
/// <param name="reason">What is wrong.</param>
/// <param name="hint">The part of the reason that says which option helps, as code; null if none does.</param>
internal sealed class RefusedException(string reason, string? hint = null) : Exception(reason)
{
    public string? Hint { get; } = hint;
}
