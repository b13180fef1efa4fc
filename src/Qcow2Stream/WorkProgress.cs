namespace Qcow2Stream;

/// <summary>How far a long operation has come. What is counted (usually bytes) is documented where the progress is reported.</summary>
/// <param name="Done">How much is done: 0 or more, never less than was reported before.</param>
/// <param name="Total">How much there is to do, as far as is known so far; at least <paramref name="Done"/>.</param>
public readonly record struct WorkProgress(long Done, long Total);
