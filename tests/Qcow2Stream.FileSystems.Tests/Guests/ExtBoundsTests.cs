using System.Buffers.Binary;
using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Ext file systems of a few kilobytes that say that they hold more than there is.</summary>
public sealed class ExtBoundsTests
{
    private const int RootInode = 2;
    private const int MapOffset = 40;
    private const int IncompatibleFeatures = 1024 + 96;
    private const int ReadOnlyFeatures = 1024 + 100;

    [Fact]
    public void DirectoryOfHoles_IsDamaged()
    {
        byte[] volume = Read("ext4");

        // With the feature of directories of more than 4 GiB.
        volume[IncompatibleFeatures + 1] |= 0x40;
        Span<byte> root = Inode(volume, RootInode);
        BinaryPrimitives.WriteUInt32LittleEndian(root[4..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(root[108..], 1 << 12);
        (string[] names, string fault) = List(volume);
        Assert.NotEmpty(names);
        Assert.StartsWith("the directory is damaged: it has a hole at byte ", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void DirectoryOfOneBlockManyTimes_IsDamaged()
    {
        byte[] volume = Read("ext4");
        Span<byte> root = Inode(volume, RootInode);
        Span<byte> map = root[MapOffset..];
        uint block = BinaryPrimitives.ReadUInt32LittleEndian(map[(12 + 8)..]);
        BinaryPrimitives.WriteUInt16LittleEndian(map[2..], 4);
        for (int i = 0; i < 4; i++)
        {
            Span<byte> extent = map.Slice(12 + (i * 12), 12);
            extent.Clear();
            extent[0] = (byte)i;
            extent[4] = 1;
            BinaryPrimitives.WriteUInt32LittleEndian(extent[8..], block);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(root[4..], 4 * 4096);
        (string[] names, string fault) = List(volume);
        Assert.NotEmpty(names);
        Assert.Equal($"the directory is damaged: block {block} comes again at byte 4096", fault);
    }

    /// <summary>An image can store one block in very many places: each is another for the guest.</summary>
    [Fact]
    public void DirectoryOfVeryManyEmptyBlocks_IsDamaged()
    {
        const int Extents = 9;
        const int MostBlocks = 32768;
        byte[] volume = Read("ext4");
        Span<byte> root = Inode(volume, RootInode);
        const int NodeBlock = 4000;
        Span<byte> node = volume.AsSpan(NodeBlock * 4096, 4096);
        node.Clear();
        Header(node, Extents, depth: 0);
        node[4] = Extents;
        for (int i = 0; i < Extents; i++)
        {
            Span<byte> extent = node.Slice(12 + (i * 12), 12);
            BinaryPrimitives.WriteUInt32LittleEndian(extent, (uint)i * MostBlocks);
            BinaryPrimitives.WriteUInt16LittleEndian(extent[4..], MostBlocks);
            BinaryPrimitives.WriteUInt32LittleEndian(extent[8..], (uint)(4096 + (i * MostBlocks)));
        }

        Span<byte> map = root.Slice(MapOffset, 60);
        map.Clear();
        Header(map, entries: 1, depth: 1);
        BinaryPrimitives.WriteUInt32LittleEndian(map[(12 + 4)..], NodeBlock);
        BinaryPrimitives.WriteUInt32LittleEndian(root[4..], Extents * MostBlocks * 4096u);
        using Guest guest = Guest.Open(new EmptyBlocksSource(volume, (4096L + (Extents * MostBlocks)) * 4096));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        GuestException fault = Assert.Throws<GuestException>(() => files.Root.EnumerateChildren().Count());
        Assert.Equal("the directory is damaged: more than 262144 of its blocks have no names", fault.Message);
    }

    /// <summary>A tebibyte of blocks on a volume of 16 MiB.</summary>
    [Fact]
    public void FileOfMoreBlocksThanTheVolume_IsDamaged()
    {
        byte[] volume = Read("ext4");
        Span<byte> file = FileInode(volume);
        Span<byte> map = file[MapOffset..];
        for (int i = 0; i < 4; i++)
        {
            Span<byte> extent = map.Slice(12 + (i * 12), 12);
            extent.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(extent, (uint)i * 2000);
            BinaryPrimitives.WriteUInt16LittleEndian(extent[4..], 2000);
            extent[8] = 100;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(map[2..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(file[4..], 8000 * 4096);
        Assert.Equal("it has more blocks than the volume, which has 4096", CopyError(volume));
    }

    /// <summary>Blocks of a file that lie where the volume stores nothing: they are zeros, and aren't read.</summary>
    [Fact]
    public void BlocksInAHoleOfTheVolume_AreHolesOfTheFile()
    {
        byte[] volume = Read("ext4");
        Span<byte> file = FileInode(volume);
        Span<byte> map = file[MapOffset..];
        BinaryPrimitives.WriteUInt16LittleEndian(map[2..], 1);
        BinaryPrimitives.WriteUInt16LittleEndian(map[(12 + 4)..], 2000);
        BinaryPrimitives.WriteUInt32LittleEndian(map[(12 + 8)..], 2048);
        BinaryPrimitives.WriteUInt32LittleEndian(file[4..], 2000 * 4096);
        CountingSource source = new(volume);
        using Guest guest = Guest.Open(source);
        using GuestMatch match = guest.Find("/etc/os-release");
        long before = source.BytesRead;
        using MemoryStream target = new();
        match.Entry.CopyContentTo(target);
        Assert.Equal(volume.AsSpan(2048 * 4096, 2000 * 4096).ToArray(), target.ToArray());
        Assert.InRange(source.BytesRead - before, 0, 4 << 20);
    }

    /// <summary>An index whose entries all lead to one node: each level multiplies what there is by 340.</summary>
    [Fact]
    public void TreeThatLeadsToANodeTwice_IsDamaged()
    {
        byte[] volume = Read("ext4");
        Span<byte> file = FileInode(volume);
        const int NodeBlock = 4000;
        Span<byte> node = volume.AsSpan(NodeBlock * 4096, 4096);
        node.Clear();
        Header(node, entries: 1, depth: 0);
        node[12 + 4] = 1;
        node[12 + 8] = 100;
        Span<byte> map = file.Slice(MapOffset, 60);
        map.Clear();
        Header(map, entries: 2, depth: 1);
        BinaryPrimitives.WriteUInt32LittleEndian(map[(12 + 4)..], NodeBlock);
        BinaryPrimitives.WriteUInt32LittleEndian(map[24..], 1000);
        BinaryPrimitives.WriteUInt32LittleEndian(map[(24 + 4)..], NodeBlock);
        BinaryPrimitives.WriteUInt32LittleEndian(file[4..], 2000 * 4096);
        Assert.Equal($"its map leads to block {NodeBlock} from two places", CopyError(volume));
    }

    [Fact]
    public void TableOfPointersThatComesTwice_IsDamaged()
    {
        byte[] volume = Read("ext2");
        int blockSize = 1024 << volume[1024 + 24];
        Span<byte> file = FileInode(volume);
        Span<byte> map = file.Slice(MapOffset, 60);
        map.Clear();

        // The single table is the first of the double one's too.
        const uint Table = 3000;
        const uint Outer = 3001;
        BinaryPrimitives.WriteUInt32LittleEndian(map[(12 * 4)..], Table);
        BinaryPrimitives.WriteUInt32LittleEndian(map[(13 * 4)..], Outer);
        volume.AsSpan((int)Table * blockSize, blockSize).Fill(1);
        volume.AsSpan((int)Outer * blockSize, blockSize).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(volume.AsSpan((int)Outer * blockSize), Table);
        volume.AsSpan((int)Table * blockSize, blockSize).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(volume.AsSpan((int)Table * blockSize), 100);
        BinaryPrimitives.WriteUInt32LittleEndian(file[4..], 1000 * (uint)blockSize);
        Assert.Equal($"its map leads to block {Table} from two places", CopyError(volume));
    }

    private static void Header(Span<byte> node, byte entries, byte depth)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(node, 0xF30A);
        (node[2], node[4], node[6]) = (entries, 4, depth);
    }

    private static byte[] Read(string name)
    {
        using Qcow2ChainStream disk = new(GuestImages.Disk(name));
        byte[] volume = new byte[disk.Length];
        disk.ReadExactly(volume);

        // Without the feature of checksums, which would be wrong.
        BinaryPrimitives.WriteUInt32LittleEndian(volume.AsSpan(ReadOnlyFeatures), 0);
        return volume;
    }

    /// <summary>The inode of /sizes/one or, where the tree has no such file, of the first file of /etc.</summary>
    private static Span<byte> FileInode(byte[] volume)
    {
        using Guest guest = Guest.Open(new MemoryStream(volume));
        using GuestMatch match = guest.Find("/etc/os-release");
        return Inode(volume, (uint)match.Entry.Identity!);
    }

    private static Span<byte> Inode(byte[] volume, uint number)
    {
        ReadOnlySpan<byte> superblock = volume.AsSpan(1024);
        int blockSize = 1024 << superblock[24];
        uint perGroup = BinaryPrimitives.ReadUInt32LittleEndian(superblock[40..]);
        bool is64Bit = (superblock[96] & 0x80) != 0;
        int descriptor = (blockSize * ((int)BinaryPrimitives.ReadUInt32LittleEndian(superblock[20..]) + 1)) + ((int)((number - 1) / perGroup) * (is64Bit ? 64 : 32));
        int table = (int)BinaryPrimitives.ReadUInt32LittleEndian(volume.AsSpan(descriptor + 8));
        int size = BinaryPrimitives.ReadUInt16LittleEndian(superblock[88..]);
        return volume.AsSpan((table * blockSize) + ((int)((number - 1) % perGroup) * size), size);
    }

    private static (string[] Names, string Fault) List(byte[] volume)
    {
        using Guest guest = Guest.Open(new MemoryStream(volume));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        List<string> names = [];
        GuestException fault = Assert.Throws<GuestException>(() => names.AddRange(files.Root.EnumerateChildren().Select(entry => entry.Name)));
        return ([.. names], fault.Message);
    }

    private static string CopyError(byte[] volume)
    {
        using Guest guest = Guest.Open(new MemoryStream(volume));
        using GuestMatch match = guest.Find("/etc/os-release");
        using CountingStream target = new();
        string message = Assert.Throws<GuestException>(() => match.Entry.CopyContentTo(target)).Message;
        Assert.InRange(target.Written, 0, volume.Length);
        return message;
    }

    /// <summary>Behind a volume's first bytes, blocks of a directory that have no names.</summary>
    private sealed class EmptyBlocksSource(byte[] content, long length) : IBlockSource
    {
        private static readonly byte[] Empty = [0, 0, 0, 0, 0, 16, 0, 0, .. new byte[4096 - 8]];

        public long Length => length;

        public int ReadAt(long offset, Span<byte> buffer)
        {
            ReadOnlySpan<byte> here = offset < content.Length ? content.AsSpan((int)offset) : Empty.AsSpan((int)(offset % Empty.Length));
            int count = (int)Math.Min(Math.Min(buffer.Length, here.Length), length - offset);
            here[..count].CopyTo(buffer);
            return count;
        }

        public IEnumerable<StreamExtent> GetExtents(long start, long length) => [new(start, length)];
    }

    /// <summary>Knows which of its pieces are zeros.</summary>
    private sealed class CountingSource(byte[] content) : IBlockSource
    {
        private const int Piece = 1 << 16;

        public long Length => content.Length;

        public long BytesRead { get; private set; }

        public int ReadAt(long offset, Span<byte> buffer)
        {
            int count = (int)Math.Clamp(content.Length - offset, 0, buffer.Length);
            content.AsSpan((int)offset, count).CopyTo(buffer);
            BytesRead += count;
            return count;
        }

        public IEnumerable<StreamExtent> GetExtents(long start, long length)
        {
            for (long at = start; at < start + length;)
            {
                long end = Math.Min((at / Piece * Piece) + Piece, start + length);
                if (content.AsSpan((int)at, (int)(end - at)).ContainsAnyExcept((byte)0))
                {
                    yield return new StreamExtent(at, end - at);
                }

                at = end;
            }
        }
    }

    private sealed class CountingStream : MemoryStream
    {
        public long Written { get; private set; }

        public override void Write(byte[] buffer, int offset, int count) => Written += count;
    }
}
