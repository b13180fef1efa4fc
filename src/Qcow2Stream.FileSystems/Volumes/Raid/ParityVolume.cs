using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Volumes.Raid;

/// <summary>RAID 4, 5 and 6: rows of chunks with one or two chunks of parity, from which what missing members have is computed.</summary>
internal sealed class ParityVolume : MappedVolume
{
    private readonly IBlockSource?[] _members;
    private readonly ParityLayout _layout;
    private readonly long _chunk;
    private readonly bool _hasQ;
    private readonly int _dataMembers;

    /// <param name="members">The members, of one length; null for those that are missing.</param>
    /// <param name="layout">Where the parity is.</param>
    /// <param name="chunk">The length of a chunk in bytes.</param>
    /// <param name="hasQ">Whether there are two kinds of parity.</param>
    /// <param name="length">How long the volume is.</param>
    public ParityVolume(IBlockSource?[] members, ParityLayout layout, long chunk, bool hasQ, long length)
        : base(length)
    {
        if ((int)layout is < 0 or > 20 or 6 or 7 or (> 10 and < 16) || (layout > ParityLayout.ParityLast && !hasQ))
        {
            throw new GuestException($"its parity layout is {(int)layout}, which is not known");
        }

        (_members, _layout, _chunk, _hasQ) = (members, layout, chunk, hasQ);
        _dataMembers = members.Length - (hasQ ? 2 : 1);
    }

    protected override Placement Locate(long offset)
    {
        (long number, long inChunk) = Math.DivRem(offset, _chunk);
        (long row, long index) = Math.DivRem(number, _dataMembers);
        int member = RowOf(row).Data(_members.Length).ElementAt((int)index);
        return new Placement(_members[member] ?? new LostMember(this, member), (row * _chunk) + inChunk, _chunk - inChunk);
    }

    private ParityRow RowOf(long row) => ParityRow.Of(_layout, row, _members.Length, _hasQ);

    /// <summary>What a missing member has in one chunk, or a part of it.</summary>
    private void Compute(int lost, long offset, Span<byte> buffer)
    {
        ParityRow row = RowOf(offset / _chunk);
        int length = buffer.Length;
        int?[] order = [.. row.Weighted(_layout, _members.Length)];
        byte[]?[] data = [.. order.Select(member => member is { } number ? Read(number, offset, length) : new byte[length])];
        if (!Parity.Recover(data, Read(row.P, offset, length), row.Q < 0 ? null : Read(row.Q, offset, length)))
        {
            throw new GuestException($"too many members of it are missing: {_members.Count(member => member is null)} of {_members.Length}");
        }

        data[Array.IndexOf(order, lost)].CopyTo(buffer);
    }

    private byte[]? Read(int member, long offset, int length)
    {
        if (_members[member] is not { } source)
        {
            return null;
        }

        byte[] bytes = new byte[length];
        source.ReadExactly(offset, bytes);
        return bytes;
    }

    /// <summary>A member that isn't there.</summary>
    private sealed class LostMember(ParityVolume volume, int number) : IBlockSource
    {
        public long Length => volume._members.OfType<IBlockSource>().First().Length;

        public int ReadAt(long offset, Span<byte> buffer)
        {
            // Never more than a chunk: so much is asked for.
            volume.Compute(number, offset, buffer);
            return buffer.Length;
        }
    }
}
