namespace Qcow2Stream.Images;

/// <summary>Where an L1 table is: the active one, or that of a snapshot.</summary>
/// <param name="TableOffset">In the file, in bytes.</param>
/// <param name="Entries">How many 64-bit entries it has.</param>
internal readonly record struct L1Location(long TableOffset, int Entries);
