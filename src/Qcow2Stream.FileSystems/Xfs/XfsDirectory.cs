using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>
/// The names of a directory, in each of its forms: short ones are in the inode; others have blocks of names, with their index behind them in a single
/// block, or far after them ("Directories"). The index isn't needed.
/// </summary>
internal static class XfsDirectory
{
    // Linux gives a block back that has become empty, unless the disk is full.
    private const int MaxEmptyBlocks = 1024;

    /// <summary>Reads the names, but for those of itself and its parent, with the numbers of the inodes.</summary>
    public static IEnumerable<(byte[] Name, ulong Inode)> Names(XfsVolume volume, XfsInode inode) =>
        inode.Format == XfsForkFormat.Local
            ? ShortNames(volume, inode.Length <= inode.Fork.Length ? inode.Fork.Span[..(int)inode.Length] : throw new GuestException("the directory is damaged: it is longer than its inode"))
            : NamesInBlocks(volume, inode);

    private static IEnumerable<(byte[] Name, ulong Inode)> NamesInBlocks(XfsVolume volume, XfsInode inode)
    {
        int empty = 0;
        foreach (byte[] block in Blocks(volume, inode))
        {
            List<(byte[] Name, ulong Inode)> names = BlockNames(volume, block);
            empty += names.Count == 0 ? 1 : 0;
            if (empty > MaxEmptyBlocks)
            {
                throw new GuestException($"the directory is damaged: more than {MaxEmptyBlocks} of its blocks have no names");
            }

            foreach ((byte[] Name, ulong Inode) name in names)
            {
                yield return name;
            }
        }
    }

    private static List<(byte[] Name, ulong Inode)> ShortNames(XfsVolume volume, ReadOnlySpan<byte> fork)
    {
        List<(byte[] Name, ulong Inode)> names = [];
        int numberLength = fork.Length >= XfsLayout.Directory.ShortHeader && fork[1] > 0 ? sizeof(ulong) : sizeof(uint);
        int at = XfsLayout.Directory.ShortHeader + numberLength;
        for (int left = fork.Length >= at ? fork[0] : 1; left > 0; left--)
        {
            int nameLength = at < fork.Length ? fork[at] : 0;
            int number = at + XfsLayout.Directory.ShortName + nameLength + (volume.HasTypes ? 1 : 0);
            if (nameLength == 0 || number > fork.Length - numberLength)
            {
                throw new GuestException("the directory is damaged: its names are longer than it is");
            }

            names.Add((fork.Slice(at + XfsLayout.Directory.ShortName, nameLength).ToArray(), NumberAt(fork.Slice(number, numberLength))));
            at = number + numberLength;
        }

        return at == fork.Length ? names : throw new GuestException("the directory is damaged: its names are shorter than it is");
    }

    /// <summary>
    /// The blocks of names; between them may be holes, where blocks had become empty. As for Linux, they end where the index begins: the size of the directory
    /// is not asked.
    /// </summary>
    private static IEnumerable<byte[]> Blocks(XfsVolume volume, XfsInode inode)
    {
        long end = XfsLayout.Directory.IndexOffset;
        if (inode.Length == 0 || inode.Length % volume.DirectoryBlockSize != 0)
        {
            throw new GuestException($"the directory is damaged: it has {inode.Length} bytes");
        }

        XfsContent content = new(volume, inode, end);
        HashSet<long> visited = [];
        for (long at = 0; at < end;)
        {
            (long? place, long count) = content.Locate(at, end - at);
            if (place is not { } offset)
            {
                // A hole is as long as some blocks.
                at += Math.Max(volume.DirectoryBlockSize, count / volume.DirectoryBlockSize * volume.DirectoryBlockSize);
                continue;
            }

            if (!visited.Add(offset))
            {
                throw new GuestException($"the directory is damaged: what is at byte {offset} of the volume comes again at byte {at}");
            }

            byte[] block = new byte[volume.DirectoryBlockSize];
            content.ReadAt(at, block);
            Judge(volume, inode, block, offset, at);
            yield return block;
            at += block.Length;
        }
    }

    private static void Judge(XfsVolume volume, XfsInode inode, byte[] block, long offset, long at)
    {
        ReadOnlySpan<byte> start = block;
        bool isRight = volume.IsChecked
            ? (start.StartsWith("XDB3"u8) || start.StartsWith("XDD3"u8))
                && volume.IsOwn(block, XfsLayout.Directory.Own, XfsLayout.Directory.Checksum, offset, inode.Number)
            : start.StartsWith("XD2B"u8) || start.StartsWith("XD2D"u8);
        if (!isRight)
        {
            throw new GuestException($"the directory is damaged: its block at byte {at} is not one of its names");
        }
    }

    private static List<(byte[] Name, ulong Inode)> BlockNames(XfsVolume volume, ReadOnlySpan<byte> block)
    {
        List<(byte[] Name, ulong Inode)> names = [];
        bool isWhole = block.StartsWith("XDB3"u8) || block.StartsWith("XD2B"u8);
        int end = isWhole ? EndOfNames(block) : block.Length;
        int at = volume.IsChecked ? XfsLayout.Directory.Header : XfsLayout.Directory.OldHeader;
        while (at < end)
        {
            ReadOnlySpan<byte> rest = block[at..end];
            bool isFree = BinaryPrimitives.ReadUInt16BigEndian(rest) == XfsLayout.Directory.Free;
            int nameLength = isFree || rest.Length <= XfsLayout.Directory.NameLength ? 0 : rest[XfsLayout.Directory.NameLength];
            int unaligned = XfsLayout.Directory.Name + nameLength + (volume.HasTypes ? 1 : 0) + XfsLayout.Directory.TagLength;
            int length = isFree
                ? BinaryPrimitives.ReadUInt16BigEndian(rest[XfsLayout.Directory.FreeLength..])
                : (unaligned + XfsLayout.Directory.Alignment - 1) & -XfsLayout.Directory.Alignment;

            // Each ends with where in the block it began.
            if (length < XfsLayout.Directory.Alignment || length > rest.Length || length % XfsLayout.Directory.Alignment != 0
                || BinaryPrimitives.ReadUInt16BigEndian(rest[(length - XfsLayout.Directory.TagLength)..]) != at)
            {
                throw new GuestException("the directory is damaged: a name reaches past its place");
            }

            if (!isFree)
            {
                ReadOnlySpan<byte> name = rest.Slice(XfsLayout.Directory.Name, nameLength);
                if (nameLength == 0)
                {
                    throw new GuestException("the directory is damaged: a name is empty");
                }

                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add((name.ToArray(), BinaryPrimitives.ReadUInt64BigEndian(rest)));
                }
            }

            at += length;
        }

        return at == end ? names : throw new GuestException("the directory is damaged: a name reaches past its place");
    }

    /// <summary>In a directory of a single block the index follows the names, and its length is at the end.</summary>
    private static int EndOfNames(ReadOnlySpan<byte> block)
    {
        long count = BinaryPrimitives.ReadUInt32BigEndian(block[^XfsLayout.Directory.TailLength..]);
        long end = block.Length - XfsLayout.Directory.TailLength - (count * XfsLayout.Directory.LeafLength);
        return end >= XfsLayout.Directory.Header ? (int)end : throw new GuestException("the directory is damaged: its index is longer than its block");
    }

    private static ulong NumberAt(ReadOnlySpan<byte> bytes) => bytes.Length == sizeof(ulong)
        ? BinaryPrimitives.ReadUInt64BigEndian(bytes)
        : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
