namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A tree: items sorted by their keys.</summary>
internal sealed class BtrfsTree(BtrfsNodes nodes, BtrfsPointer root)
{
    /// <summary>The item with a key; null if there is none.</summary>
    public BtrfsItem? Find(BtrfsKey key) => UpTo(key) is { } item && item.Key == key ? item : null;

    /// <summary>The last item whose key is not past another; null if there is none.</summary>
    public BtrfsItem? UpTo(BtrfsKey key) => PlaceUpTo(key)?.Item;

    /// <summary>As <see cref="UpTo"/>, with where it is.</summary>
    public BtrfsPlace? PlaceUpTo(BtrfsKey key)
    {
        BtrfsNode node = nodes.Get(root);
        while (node.LastUpTo(key) is >= 0 and var index)
        {
            if (node.Level == 0)
            {
                return new BtrfsPlace(node, index);
            }

            node = nodes.Get(node.PointerOf(index, root.Tree));
        }

        return null;
    }

    /// <summary>The items from one key to another, in order.</summary>
    public IEnumerable<BtrfsItem> Range(BtrfsKey first, BtrfsKey last)
    {
        // The nodes on the way to the leaf, each with which of its pointers comes next.
        Stack<(BtrfsNode Node, int Next)> way = [];
        BtrfsNode node = nodes.Get(root);
        BtrfsKey? before = null;
        while (true)
        {
            while (node.Level > 0)
            {
                int index = Math.Max(0, node.LastUpTo(first));
                way.Push((node, index + 1));
                node = nodes.Get(node.PointerOf(index, root.Tree));
            }

            int start = node.LastUpTo(first);
            for (int i = start >= 0 && node.KeyOf(start) == first ? start : start + 1; i < node.Count; i++)
            {
                BtrfsItem item = node.ItemOf(i);
                if (item.Key > last)
                {
                    yield break;
                }

                if (before >= item.Key)
                {
                    throw new GuestException("its tree is damaged: its keys are not in order");
                }

                before = item.Key;
                yield return item;
            }

            while (way.TryPeek(out (BtrfsNode Node, int Next) top) && top.Next == top.Node.Count)
            {
                way.Pop();
            }

            if (!way.TryPop(out (BtrfsNode Node, int Next) next))
            {
                yield break;
            }

            way.Push((next.Node, next.Next + 1));
            node = nodes.Get(next.Node.PointerOf(next.Next, root.Tree));
        }
    }

    /// <summary>All items of a type that an object has, in order.</summary>
    public IEnumerable<BtrfsItem> ItemsOf(ulong number, byte type) =>
        Range(new BtrfsKey(number, type, 0), new BtrfsKey(number, type, ulong.MaxValue));
}
