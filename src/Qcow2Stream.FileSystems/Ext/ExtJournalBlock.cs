namespace Qcow2Stream.FileSystems.Ext;

/// <summary>A block of the log that is no copy.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Sequence">The transaction that it is of.</param>
/// <param name="Place">Where it is in the journal, in blocks.</param>
/// <param name="Bytes">All of it.</param>
internal readonly record struct ExtJournalBlock(ExtJournalBlockType Type, uint Sequence, uint Place, byte[] Bytes);
