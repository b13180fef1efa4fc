using System.Buffers.Binary;
using System.Numerics;
using DiscUtils.Streams;
using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>A guest's disk of which some bytes are others; what has a checksum gets the right one again, so that a reader looks at it.</summary>
internal sealed class GuestDisk : IBlockSource
{
    private const int Block = 4096;

    // The magics of XFS' blocks, each with where its checksum is and how long it is.
    private static readonly (byte[] Magic, int Checksum, int Length)[] XfsBlocks =
    [
        ("XFSB"u8.ToArray(), 224, 512), ("IN"u8.ToArray(), 100, 512), ("XDB3"u8.ToArray(), 4, Block), ("XDD3"u8.ToArray(), 4, Block),
        ("BMA3"u8.ToArray(), 64, Block), ("XSLM"u8.ToArray(), 12, Block),
    ];

    private readonly IBlockSource _disk;
    private readonly long[] _blocks;
    private readonly byte[] _fileSystem = new byte[16];
    private readonly Dictionary<long, byte[]> _changed = [];

    public GuestDisk(string name)
    {
        using Stream packed = typeof(GuestDisk).Assembly.GetManifestResourceStream($"{name}.qcow2")!;
        MemoryStream image = new();
        packed.CopyTo(image);
        _disk = BlockSource.FromChain(Qcow2Chain.Open(image));
        if (name.StartsWith("btrfs", StringComparison.Ordinal))
        {
            _disk.ReadExactly((64 << 10) + 32, _fileSystem);
        }

        _blocks = [.. _disk.GetExtents(0, Length).SelectMany(extent => BlocksOf(extent)).Distinct()];
    }

    public long Length => _disk.Length;

    /// <summary>Goes back to the disk as it is, and changes a byte in each of some of its blocks.</summary>
    /// <param name="changes">Five bytes each: which block, where in it, and the value.</param>
    public void Change(ReadOnlySpan<byte> changes)
    {
        _changed.Clear();
        for (; changes.Length >= 5; changes = changes[5..])
        {
            long place = _blocks[BinaryPrimitives.ReadUInt16LittleEndian(changes) % _blocks.Length];
            if (!_changed.TryGetValue(place, out byte[]? block))
            {
                _changed.Add(place, block = new byte[Block]);
                _disk.ReadExactly(place, block);
            }

            block[BinaryPrimitives.ReadUInt16LittleEndian(changes[2..]) % Block] = changes[4];
        }

        foreach (byte[] block in _changed.Values)
        {
            Seal(block);
        }
    }

    public int ReadAt(long offset, Span<byte> buffer)
    {
        int read = _disk.ReadAt(offset, buffer);
        foreach ((long place, byte[] block) in _changed)
        {
            long first = Math.Max(place, offset);
            long end = Math.Min(place + Block, offset + read);
            if (first < end)
            {
                block.AsSpan((int)(first - place), (int)(end - first)).CopyTo(buffer[(int)(first - offset)..]);
            }
        }

        return read;
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length) => BlockSource.Whole(this, start, length);

    private IEnumerable<long> BlocksOf(StreamExtent extent)
    {
        byte[] block = new byte[Block];
        for (long place = extent.Start & -Block; place < extent.Start + extent.Length && place <= Length - Block; place += Block)
        {
            _disk.ReadExactly(place, block);
            if (block.AsSpan().ContainsAnyExcept((byte)0))
            {
                yield return place;
            }
        }
    }

    private void Seal(byte[] block)
    {
        if (_fileSystem.AsSpan().ContainsAnyExcept((byte)0) && block.AsSpan(32, 16).SequenceEqual(_fileSystem))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(block, ~Sum(uint.MaxValue, block.AsSpan(32)));
        }

        for (int at = 0; at < Block; at += 512)
        {
            foreach ((byte[] magic, int checksum, int length) in XfsBlocks)
            {
                if (block.AsSpan(at).StartsWith(magic) && length <= Block - at)
                {
                    Span<byte> whole = block.AsSpan(at, length);
                    whole.Slice(checksum, 4).Clear();
                    BinaryPrimitives.WriteUInt32LittleEndian(whole[checksum..], ~Sum(uint.MaxValue, whole));
                }
            }
        }
    }

    private static uint Sum(uint sum, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            sum = BitOperations.Crc32C(sum, value);
        }

        return sum;
    }
}
