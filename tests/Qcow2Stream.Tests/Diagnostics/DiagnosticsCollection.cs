namespace Qcow2Stream.Tests.Diagnostics;

/// <summary>Listeners hear the whole process: these tests run alone, as others count what they allocate.</summary>
[CollectionDefinition(nameof(DiagnosticsCollection), DisableParallelization = true)]
public sealed class DiagnosticsCollection;
