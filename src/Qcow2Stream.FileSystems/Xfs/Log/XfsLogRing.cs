using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>The blocks of the log: behind the last comes the first. Each has the number of its round in front.</summary>
internal sealed class XfsLogRing
{
    private readonly XfsVolume _volume;
    private readonly long _start;

    /// <exception cref="GuestException">The log is not on the volume.</exception>
    public XfsLogRing(XfsVolume volume)
    {
        _volume = volume;
        if (volume.LogStart == 0)
        {
            throw new GuestException("it is on another device");
        }

        _start = volume.OffsetOf(volume.LogStart);
        long length = (long)volume.LogBlocks * volume.BlockSize;
        if (length is 0 or > XfsLogLayout.MaxLength || volume.OffsetOf(volume.LogStart + volume.LogBlocks - 1) - _start != length - volume.BlockSize)
        {
            throw new GuestException("it is not where it should be");
        }

        Blocks = length / XfsLogLayout.Block;
    }

    /// <summary>How many blocks there are.</summary>
    public long Blocks { get; }

    /// <summary>Reads whole blocks.</summary>
    public void Read(long block, Span<byte> bytes)
    {
        for (long place = InRing(block); bytes.Length > 0; place = 0)
        {
            int count = (int)Math.Min(bytes.Length, (Blocks - place) * XfsLogLayout.Block);
            _volume.Read(_start + (place * XfsLogLayout.Block), bytes[..count]);
            bytes = bytes[count..];
        }
    }

    /// <summary>How far it is from one block to another.</summary>
    public long Distance(long from, long to) => InRing(to - from);

    /// <summary>The round in which a block was written.</summary>
    public uint CycleOf(long block)
    {
        Span<byte> bytes = stackalloc byte[XfsLogLayout.Block];
        Read(block, bytes);
        return CycleOf(bytes);
    }

    /// <summary>Whether a record begins at a block, or what looks like one.</summary>
    public bool IsHeader(long block)
    {
        Span<byte> word = stackalloc byte[sizeof(uint)];
        _volume.Read(_start + (InRing(block) * XfsLogLayout.Block), word);
        return BinaryPrimitives.ReadUInt32BigEndian(word) == XfsLogLayout.Record.Magic;
    }

    /// <summary>Finds the first block of some that was written in a round; -1 if none was.</summary>
    public long FindCycle(long block, long count, uint cycle)
    {
        byte[] bytes = new byte[count * XfsLogLayout.Block];
        Read(block, bytes);
        for (int index = 0; index < count; index++)
        {
            if (CycleOf(bytes.AsSpan(index * XfsLogLayout.Block, XfsLogLayout.Block)) == cycle)
            {
                return block + index;
            }
        }

        return -1;
    }

    public long InRing(long block) => ((block % Blocks) + Blocks) % Blocks;

    /// <summary>In a header it stands behind the magic, elsewhere in front.</summary>
    private static uint CycleOf(ReadOnlySpan<byte> block) => BinaryPrimitives.ReadUInt32BigEndian(block) is var word && word == XfsLogLayout.Record.Magic
        ? BinaryPrimitives.ReadUInt32BigEndian(block[XfsLogLayout.Record.Cycle..])
        : word;
}
