using System.Buffers.Binary;
using System.Numerics;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>A record of the log: one block or more of header, then operations.</summary>
internal sealed class XfsLogRecord
{
    private readonly XfsLogRing _ring;
    private readonly byte[] _header = new byte[XfsLogLayout.Block];

    private XfsLogRecord(XfsLogRing ring, long place)
    {
        (_ring, Place) = (ring, ring.InRing(place));
        ring.Read(place, _header);
    }

    /// <summary>The block it begins at.</summary>
    public long Place { get; }

    /// <summary>The number of all that is first logged in it: round and block.</summary>
    public ulong Lsn => Quad(XfsLogLayout.Record.Lsn);

    /// <summary>The first record that was still needed when this one was written.</summary>
    public long Tail => (uint)Quad(XfsLogLayout.Record.TailLsn);

    public uint Operations => Long(XfsLogLayout.Record.Operations);

    /// <summary>How many blocks it has, with its header.</summary>
    public long Blocks => Headers + ((Length + XfsLogLayout.Block - 1) / XfsLogLayout.Block);

    public bool IsLittleEndian => Long(XfsLogLayout.Record.Format) == XfsLogLayout.Record.LittleEndian;

    public ReadOnlySpan<byte> Uuid => _header.AsSpan(XfsLogLayout.Record.Uuid, XfsLogLayout.Record.UuidLength);

    /// <summary>How long a record could be when this was written.</summary>
    public long Size => Long(XfsLogLayout.Record.Version) >= XfsLogLayout.Record.SecondVersion ? Long(XfsLogLayout.Record.Size) : 0;

    private int Length => (int)Long(XfsLogLayout.Record.Length);

    /// <summary>How many blocks the header has: by how long the record could be, not by how long it is.</summary>
    private int Headers => (int)Math.Max(1, (Size + XfsLogLayout.Record.CoveredByHeader - 1) / XfsLogLayout.Record.CoveredByHeader);

    /// <summary>Reads a header; null if there is none.</summary>
    public static XfsLogRecord? At(XfsLogRing ring, long place)
    {
        XfsLogRecord record = new(ring, place);
        return record.Long(0) == XfsLogLayout.Record.Magic && record.Size <= XfsLogLayout.Record.MaxLength
            && record.Long(XfsLogLayout.Record.Length) is > 0 and <= XfsLogLayout.Record.MaxLength && record.Blocks < ring.Blocks
            ? record
            : null;
    }

    /// <summary>Whether all that it says is that the file system was unmounted.</summary>
    public bool IsUnmount()
    {
        Span<byte> block = stackalloc byte[XfsLogLayout.Block];
        _ring.Read(Place + Headers, block);
        return Operations == 1 && ((XfsLogOperationFlags)block[XfsLogLayout.Operation.Flags] & XfsLogOperationFlags.Unmount) != 0;
    }

    /// <summary>Whether its checksum is wrong; it has none if an old guest or the tool that made the file system wrote it.</summary>
    public bool IsTorn() => BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(XfsLogLayout.Record.Checksum)) != 0 && !IsSummed(Read());

    /// <summary>Reads its operations.</summary>
    /// <param name="needsSum">Whether it must have a checksum.</param>
    /// <exception cref="GuestException">The checksum is wrong.</exception>
    public ReadOnlySpan<byte> ReadOperations(bool needsSum)
    {
        byte[] bytes = Read();
        if (needsSum && !IsSummed(bytes))
        {
            throw new GuestException("the checksum of one of its records is wrong");
        }

        // Each block's first word is in the header, and the number of the round in its place.
        for (int block = 0; block < Blocks - Headers; block++)
        {
            (int header, int index) = Math.DivRem(block, XfsLogLayout.Record.CyclesByHeader);
            int first = header == 0 ? XfsLogLayout.Record.CycleData : (header * XfsLogLayout.Block) + XfsLogLayout.Record.MoreCycleData;
            if (header < Headers)
            {
                bytes.AsSpan(first + (index * sizeof(uint)), sizeof(uint)).CopyTo(bytes.AsSpan((Headers + block) * XfsLogLayout.Block));
            }
        }

        return bytes.AsSpan(Headers * XfsLogLayout.Block, Length);
    }

    private bool IsSummed(ReadOnlySpan<byte> bytes)
    {
        uint sum = BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(XfsLogLayout.Record.Checksum));
        return sum == Sum(bytes, XfsLogLayout.Record.SummedLength) || sum == Sum(bytes, XfsLogLayout.Record.SummedLengthOf32Bits);
    }

    private uint Sum(ReadOnlySpan<byte> bytes, int headerLength)
    {
        uint sum = Castagnoli.Add(uint.MaxValue, bytes[..XfsLogLayout.Record.Checksum]);
        sum = BitOperations.Crc32C(sum, 0u);
        sum = Castagnoli.Add(sum, bytes[(XfsLogLayout.Record.Checksum + sizeof(uint))..headerLength]);
        for (int header = 1; header < Headers && header * XfsLogLayout.Record.CoveredByHeader < Length; header++)
        {
            sum = Castagnoli.Add(sum, bytes.Slice(header * XfsLogLayout.Block, XfsLogLayout.Record.MoreSummedLength));
        }

        return ~Castagnoli.Add(sum, bytes.Slice(Headers * XfsLogLayout.Block, Length));
    }

    private byte[] Read()
    {
        byte[] bytes = new byte[Blocks * XfsLogLayout.Block];
        _ring.Read(Place, bytes);
        return bytes;
    }

    private uint Long(int offset) => BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(offset));

    private ulong Quad(int offset) => BinaryPrimitives.ReadUInt64BigEndian(_header.AsSpan(offset));
}
