namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>An item in its leaf, with its neighbours there.</summary>
/// <param name="Leaf">The leaf.</param>
/// <param name="Index">Which of its items.</param>
internal readonly record struct BtrfsPlace(BtrfsNode Leaf, int Index)
{
    public BtrfsItem Item => Leaf.ItemOf(Index);

    /// <summary>The item before it; null if the leaf begins with it.</summary>
    public BtrfsItem? Before => Index > 0 ? Leaf.ItemOf(Index - 1) : null;

    /// <summary>The item after it; null if the leaf ends with it.</summary>
    public BtrfsItem? After => Index + 1 < Leaf.Count ? Leaf.ItemOf(Index + 1) : null;
}
