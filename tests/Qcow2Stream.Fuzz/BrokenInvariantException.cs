namespace Qcow2Stream.Fuzz;

/// <summary>The library broke a promise: what a harness found, to be distinguished from what the library throws.</summary>
public sealed class BrokenInvariantException(string message) : Exception(message);
