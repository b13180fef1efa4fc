using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>What the log has of a tree of extents whose root is in an inode.</summary>
internal static class XfsLogTree
{
    private const int EntryLength = XfsLayout.Tree.KeyLength + XfsLayout.Tree.PointerLength;

    /// <summary>
    /// Writes a root as an inode has it. In memory, and so in the log, it has the header of a block, and its pointers begin behind as many keys as have room.
    /// </summary>
    public static void CopyRoot(XfsVolume volume, ReadOnlySpan<byte> logged, Span<byte> fork)
    {
        int header = volume.IsChecked ? XfsLayout.Tree.Header : XfsLayout.Tree.OldHeader;
        int count = logged.Length < header ? 0 : BinaryPrimitives.ReadUInt16BigEndian(logged[XfsLayout.Tree.Count..]);
        int room = (logged.Length - header) / EntryLength;
        int roomInFork = (fork.Length - XfsLayout.Tree.RootHeader) / EntryLength;
        if (count == 0 || count > room || count > roomInFork)
        {
            throw XfsLogItem.Damaged();
        }

        ReadOnlySpan<byte> entries = logged[header..];
        logged.Slice(XfsLayout.Tree.Level, sizeof(ushort)).CopyTo(fork[XfsLayout.Tree.RootLevel..]);
        logged.Slice(XfsLayout.Tree.Count, sizeof(ushort)).CopyTo(fork[XfsLayout.Tree.RootCount..]);
        fork = fork[XfsLayout.Tree.RootHeader..];
        entries[..(count * XfsLayout.Tree.KeyLength)].CopyTo(fork);
        entries.Slice(room * XfsLayout.Tree.KeyLength, count * XfsLayout.Tree.PointerLength).CopyTo(fork[(roomInFork * XfsLayout.Tree.KeyLength)..]);
    }

    /// <summary>Makes all blocks of a tree those of one inode: two files have exchanged what they have, as defragmenting does.</summary>
    public static void ChangeOwner(XfsVolume volume, XfsLogBlocks blocks, XfsLogBudget budget, ReadOnlySpan<byte> root, ulong inode)
    {
        int level = BinaryPrimitives.ReadUInt16BigEndian(root);
        Stack<(ulong Block, int Level)> waiting = new();
        Push(waiting, root[XfsLayout.Tree.RootHeader..], BinaryPrimitives.ReadUInt16BigEndian(root[XfsLayout.Tree.RootCount..]), level);
        HashSet<ulong> visited = [];
        while (waiting.TryPop(out (ulong Block, int Level) next))
        {
            budget.Work(volume.BlockSize);
            long offset = volume.OffsetOf(next.Block);
            byte[] block = blocks.Read(offset, volume.BlockSize);
            if (!visited.Add(next.Block) || !block.AsSpan().StartsWith("BMA3"u8)
                || BinaryPrimitives.ReadUInt16BigEndian(block.AsSpan(XfsLayout.Tree.Level)) != next.Level)
            {
                throw XfsLogItem.Damaged();
            }

            Span<byte> owner = block.AsSpan(XfsLayout.Tree.Own + XfsLayout.Own.Inode, sizeof(ulong));
            if (BinaryPrimitives.ReadUInt64BigEndian(owner) != inode)
            {
                BinaryPrimitives.WriteUInt64BigEndian(owner, inode);
                blocks.Write(offset, block);
                blocks.SealLater(offset, block.Length);
            }

            if (next.Level > 0)
            {
                Push(waiting, block.AsSpan(XfsLayout.Tree.Header), BinaryPrimitives.ReadUInt16BigEndian(block.AsSpan(XfsLayout.Tree.Count)), next.Level);
            }
        }
    }

    private static void Push(Stack<(ulong Block, int Level)> waiting, ReadOnlySpan<byte> entries, int count, int level)
    {
        int room = entries.Length / EntryLength;
        if (level == 0 || count > room)
        {
            throw XfsLogItem.Damaged();
        }

        ReadOnlySpan<byte> pointers = entries[(room * XfsLayout.Tree.KeyLength)..];
        for (int index = 0; index < count; index++)
        {
            waiting.Push((BinaryPrimitives.ReadUInt64BigEndian(pointers[(index * XfsLayout.Tree.PointerLength)..]), level - 1));
        }
    }
}
