using System.Buffers.Binary;
using System.Text;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Btrfs;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>A Btrfs file system made item by item, with right checksums: what no kernel writes, or would take long to. It counts what is read of it.</summary>
internal sealed class MadeBtrfs : IBlockSource
{
    public const int NodeSize = 16384;
    public const int SectorSize = 4096;
    public const ulong Root = 256;
    public const ulong Generation = 7;
    public const ulong Meta = 16 << 20;
    public const int DirectoryMode = 0x41ED;
    public const int FileMode = 0x81A4;
    public const int LinkMode = 0xA1FF;

    private const ulong System = 1 << 20;
    private const ulong SystemLength = 15 << 20;
    private const int HeaderLength = 101;
    private const int ItemLength = 25;
    private const int PointerLength = 33;
    private const int SuperblockPlace = 64 << 10;

    private readonly Dictionary<long, byte[]> _nodes = [];
    private readonly byte[] _superblock = new byte[4096];
    private ulong _nextSystem = System;
    private ulong _nextMeta = Meta;

    public MadeBtrfs()
    {
        AddChunk(System, Chunk(SystemLength, 2, [(Device, System)]));
        AddChunk(Meta, Chunk((ulong)Length - Meta, 4, [(Device, Meta)]));
        AddDevice(1, (ulong)Length, (ulong)Length);
    }

    public static UInt128 Device { get; } = new(0x0102030405060708, 0x1112131415161718);

    public long Length => 1L << 30;

    /// <summary>How many bytes were read.</summary>
    public long BytesRead { get; private set; }

    public SortedDictionary<BtrfsKey, byte[]> Chunks { get; } = [];

    public SortedDictionary<BtrfsKey, byte[]> Roots { get; } = [];

    /// <summary>What is done to a leaf before it gets its checksum; null for nothing.</summary>
    public Action<byte[]>? Change { get; set; }

    public static byte[] Chunk(ulong length, ulong type, (UInt128 Device, ulong Place)[] stripes, int sub = 1)
    {
        byte[] chunk = new byte[48 + (32 * stripes.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(chunk, length);
        BinaryPrimitives.WriteUInt64LittleEndian(chunk.AsSpan(8), 2);
        BinaryPrimitives.WriteUInt64LittleEndian(chunk.AsSpan(16), 65536);
        BinaryPrimitives.WriteUInt64LittleEndian(chunk.AsSpan(24), type);
        BinaryPrimitives.WriteInt32LittleEndian(chunk.AsSpan(40), SectorSize);
        BinaryPrimitives.WriteUInt16LittleEndian(chunk.AsSpan(44), (ushort)stripes.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(chunk.AsSpan(46), (ushort)sub);
        for (int i = 0; i < stripes.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(chunk.AsSpan(48 + (32 * i)), 1);
            BinaryPrimitives.WriteUInt64LittleEndian(chunk.AsSpan(56 + (32 * i)), stripes[i].Place);
            BinaryPrimitives.WriteUInt128LittleEndian(chunk.AsSpan(64 + (32 * i)), stripes[i].Device);
        }

        return chunk;
    }

    public static SortedDictionary<BtrfsKey, byte[]> Directory() => new() { [new BtrfsKey(Root, 1, 0)] = Inode(DirectoryMode, 0) };

    public static byte[] Inode(int mode, long size)
    {
        byte[] inode = new byte[160];
        BinaryPrimitives.WriteInt64LittleEndian(inode.AsSpan(16), size);
        BinaryPrimitives.WriteInt32LittleEndian(inode.AsSpan(40), 1);
        BinaryPrimitives.WriteInt32LittleEndian(inode.AsSpan(52), mode);

        // Its data has no checksums.
        BinaryPrimitives.WriteUInt64LittleEndian(inode.AsSpan(64), 1);
        return inode;
    }

    /// <summary>Gives an inode a name in a directory.</summary>
    public static void AddName(SortedDictionary<BtrfsKey, byte[]> tree, ulong directory, BtrfsKey target, string name, ulong index)
    {
        byte[] text = Encoding.UTF8.GetBytes(name);
        byte[] entry = [.. Key(target), .. new byte[8 + 2 + 2 + 1], .. text];
        BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(27), (ushort)text.Length);
        BtrfsKey hash = new(directory, 84, Castagnoli.Add(unchecked((uint)~1), text));
        tree[hash] = [.. tree.GetValueOrDefault(hash) ?? [], .. entry];
        tree[new BtrfsKey(directory, 96, index)] = entry;
    }

    /// <summary>Makes a file, a directory or a link, whose name is its number's if no other is given.</summary>
    public static void AddInode(SortedDictionary<BtrfsKey, byte[]> tree, ulong directory, ulong number, int mode, string name, byte[]? content = null)
    {
        tree[new BtrfsKey(number, 1, 0)] = Inode(mode, content?.Length ?? 0);
        tree[new BtrfsKey(number, 12, directory)] = [.. new byte[8], (byte)name.Length, 0, .. Encoding.UTF8.GetBytes(name)];
        AddName(tree, directory, new BtrfsKey(number, 1, 0), name, number);
        if (content is not null)
        {
            tree[new BtrfsKey(number, 108, 0)] = Inline(content, content.Length);
        }
    }

    public static byte[] Inline(byte[] stored, long length, byte compression = 0)
    {
        byte[] extent = [.. new byte[21], .. stored];
        BinaryPrimitives.WriteInt64LittleEndian(extent.AsSpan(8), length);
        extent[16] = compression;
        return extent;
    }

    public static byte[] Extent(ulong address, long stored, long skipped, long length, long decoded, byte compression = 0)
    {
        byte[] extent = new byte[53];
        BinaryPrimitives.WriteInt64LittleEndian(extent.AsSpan(8), decoded);
        extent[16] = compression;
        extent[20] = 1;
        BinaryPrimitives.WriteUInt64LittleEndian(extent.AsSpan(21), address);
        BinaryPrimitives.WriteInt64LittleEndian(extent.AsSpan(29), stored);
        BinaryPrimitives.WriteInt64LittleEndian(extent.AsSpan(37), skipped);
        BinaryPrimitives.WriteInt64LittleEndian(extent.AsSpan(45), length);
        return extent;
    }

    public void AddChunk(ulong start, byte[] chunk) => Chunks[new BtrfsKey(256, 228, start)] = chunk;

    public void AddDevice(ulong id, ulong total, ulong used)
    {
        byte[] device = new byte[98];
        BinaryPrimitives.WriteUInt64LittleEndian(device, id);
        BinaryPrimitives.WriteUInt64LittleEndian(device.AsSpan(8), total);
        BinaryPrimitives.WriteUInt64LittleEndian(device.AsSpan(16), used);
        BinaryPrimitives.WriteUInt128LittleEndian(device.AsSpan(66), Device);
        Chunks[new BtrfsKey(1, 216, id)] = device;
    }

    /// <summary>Writes a tree.</summary>
    /// <returns>The item of its root.</returns>
    public byte[] AddTree(ulong number, SortedDictionary<BtrfsKey, byte[]> items)
    {
        (ulong address, int level) = Build(number, items, ref _nextMeta);
        byte[] root = new byte[439];
        BinaryPrimitives.WriteUInt64LittleEndian(root.AsSpan(160), Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(root.AsSpan(168), Root);
        BinaryPrimitives.WriteUInt64LittleEndian(root.AsSpan(176), address);
        BinaryPrimitives.WriteInt32LittleEndian(root.AsSpan(216), 1);
        root[238] = (byte)level;
        Roots[new BtrfsKey(number, 132, 0)] = root;
        return root;
    }

    /// <summary>Says where a subvolume is in another.</summary>
    public void AddReference(ulong number, ulong parent, ulong directory, string name)
    {
        byte[] reference = [.. new byte[16], (byte)name.Length, 0, .. Encoding.UTF8.GetBytes(name)];
        BinaryPrimitives.WriteUInt64LittleEndian(reference, directory);
        Roots[new BtrfsKey(parent, 156, number)] = reference;
        Roots[new BtrfsKey(number, 144, parent)] = reference;
    }

    /// <summary>Writes bytes of data, in the room that trees have.</summary>
    public ulong AddData(byte[] bytes)
    {
        ulong address = _nextMeta;
        for (int at = 0; at < bytes.Length; at += NodeSize)
        {
            byte[] page = new byte[NodeSize];
            bytes.AsSpan(at, Math.Min(NodeSize, bytes.Length - at)).CopyTo(page);
            _nodes[(long)_nextMeta] = page;
            _nextMeta += NodeSize;
        }

        return address;
    }

    /// <summary>Writes the trees of roots and of chunks, and the superblock.</summary>
    public MadeBtrfs Finish()
    {
        (ulong root, int rootLevel) = Build(1, Roots, ref _nextMeta);
        (ulong chunks, int chunkLevel) = Build(3, Chunks, ref _nextSystem);
        Span<byte> bytes = _superblock;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[48..], SuperblockPlace);
        "_BHRfS_M"u8.CopyTo(bytes[64..]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[72..], Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[80..], root);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[88..], chunks);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[128..], 6);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[136..], 1);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[144..], SectorSize);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[148..], NodeSize);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[164..], Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[188..], 0x3FF & ~0x4ul);
        (bytes[198], bytes[199]) = ((byte)rootLevel, (byte)chunkLevel);
        Chunks[new BtrfsKey(1, 216, 1)].CopyTo(bytes[201..]);
        "made"u8.CopyTo(bytes[299..]);
        byte[] first = [.. Key(new BtrfsKey(256, 228, System)), .. Chunks[new BtrfsKey(256, 228, System)]];
        BinaryPrimitives.WriteInt32LittleEndian(bytes[160..], first.Length);
        first.CopyTo(bytes[811..]);
        Seal(_superblock);
        byte[] page = new byte[NodeSize];
        _superblock.CopyTo(page, 0);
        _nodes[SuperblockPlace] = page;
        return this;
    }

    public int ReadAt(long offset, Span<byte> buffer)
    {
        int done = 0;
        while (done < buffer.Length && offset + done < Length)
        {
            (long page, long inside) = Math.DivRem(offset + done, NodeSize);
            int count = (int)Math.Min(buffer.Length - done, NodeSize - inside);
            if (_nodes.TryGetValue(page * NodeSize, out byte[]? bytes))
            {
                bytes.AsSpan((int)inside, count).CopyTo(buffer[done..]);
            }
            else
            {
                buffer.Slice(done, count).Clear();
            }

            done += count;
        }

        BytesRead += done;
        return done;
    }

    private static byte[] Key(BtrfsKey key)
    {
        byte[] bytes = new byte[17];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, key.Object);
        bytes[8] = key.Type;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(9), key.Offset);
        return bytes;
    }

    private static void Seal(byte[] bytes) => BinaryPrimitives.WriteUInt32LittleEndian(bytes, ~Castagnoli.Add(uint.MaxValue, bytes.AsSpan(32)));

    private (ulong Address, int Level) Build(ulong tree, SortedDictionary<BtrfsKey, byte[]> items, ref ulong next)
    {
        List<(BtrfsKey First, ulong Address)> below = [];
        List<KeyValuePair<BtrfsKey, byte[]>> leaf = [];
        int room = NodeSize - HeaderLength;
        foreach (KeyValuePair<BtrfsKey, byte[]> item in items)
        {
            if (ItemLength + item.Value.Length > room)
            {
                below.Add((leaf[0].Key, Leaf(tree, leaf, ref next)));
                leaf.Clear();
                room = NodeSize - HeaderLength;
            }

            room -= ItemLength + item.Value.Length;
            leaf.Add(item);
        }

        below.Add((leaf.Count > 0 ? leaf[0].Key : default, Leaf(tree, leaf, ref next)));
        int level = 0;
        while (below.Count > 1)
        {
            level++;
            List<(BtrfsKey First, ulong Address)> above = [];
            foreach ((BtrfsKey First, ulong Address)[] part in below.Chunk((NodeSize - HeaderLength) / PointerLength))
            {
                byte[] bytes = Header(tree, level, part.Length, next);
                for (int i = 0; i < part.Length; i++)
                {
                    Span<byte> pointer = bytes.AsSpan(HeaderLength + (i * PointerLength));
                    Key(part[i].First).CopyTo(pointer);
                    BinaryPrimitives.WriteUInt64LittleEndian(pointer[17..], part[i].Address);
                    BinaryPrimitives.WriteUInt64LittleEndian(pointer[25..], Generation);
                }

                above.Add((part[0].First, Put(bytes, ref next)));
            }

            below = above;
        }

        return (below[0].Address, level);
    }

    private ulong Leaf(ulong tree, List<KeyValuePair<BtrfsKey, byte[]>> items, ref ulong next)
    {
        byte[] bytes = Header(tree, 0, items.Count, next);
        int end = NodeSize - HeaderLength;
        for (int i = 0; i < items.Count; i++)
        {
            end -= items[i].Value.Length;
            Span<byte> item = bytes.AsSpan(HeaderLength + (i * ItemLength));
            Key(items[i].Key).CopyTo(item);
            BinaryPrimitives.WriteInt32LittleEndian(item[17..], end);
            BinaryPrimitives.WriteInt32LittleEndian(item[21..], items[i].Value.Length);
            items[i].Value.CopyTo(bytes, HeaderLength + end);
        }

        if (BtrfsObject.IsSubvolume(tree))
        {
            Change?.Invoke(bytes);
        }

        return Put(bytes, ref next);
    }

    private static byte[] Header(ulong tree, int level, int count, ulong address)
    {
        byte[] bytes = new byte[NodeSize];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(48), address);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(56), 1 | (1ul << 56));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(80), Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(88), tree);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(96), count);
        bytes[100] = (byte)level;
        return bytes;
    }

    private ulong Put(byte[] bytes, ref ulong next)
    {
        Seal(bytes);
        _nodes[(long)next] = bytes;
        next += NodeSize;
        return next - NodeSize;
    }
}
