namespace Qcow2Stream.Tests.Faults;

/// <summary>The read that a fault was done to.</summary>
internal sealed record FaultHit(string File, long Offset, int Length);
