namespace Qcow2Stream.Opening;

/// <summary>Carries the reason why a named file is not opened from the gate to the opener, which tells it with the whole chain.</summary>
internal sealed class RefusedException(string reason) : Exception(reason);
