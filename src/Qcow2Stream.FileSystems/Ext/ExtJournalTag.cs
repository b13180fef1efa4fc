namespace Qcow2Stream.FileSystems.Ext;

/// <summary>What a descriptor says of a copy of a block.</summary>
/// <param name="Block">Which block of the volume it is of.</param>
/// <param name="Place">Where the copy is in the journal, in blocks.</param>
/// <param name="Sequence">The transaction that it is of.</param>
/// <param name="IsEscaped">Whether its first bytes are those of the journal's own blocks, which zeros stand for.</param>
/// <param name="Checksum">The checksum of the copy; null if it has none.</param>
internal readonly record struct ExtJournalTag(ulong Block, uint Place, uint Sequence, bool IsEscaped, uint? Checksum);
