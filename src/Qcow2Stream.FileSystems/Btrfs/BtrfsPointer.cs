namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>What leads to a node, and says what it must be: an older node that a lost write left there is not it.</summary>
/// <param name="Address">Where it is in the address space.</param>
/// <param name="Level">How far it is from the leaves.</param>
/// <param name="Generation">The transaction that wrote it.</param>
/// <param name="Tree">The number of the tree that it is in.</param>
/// <param name="First">The first key in it; null for a root.</param>
internal readonly record struct BtrfsPointer(ulong Address, int Level, ulong Generation, ulong Tree, BtrfsKey? First = null);
