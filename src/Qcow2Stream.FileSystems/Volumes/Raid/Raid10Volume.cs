namespace Qcow2Stream.FileSystems.Volumes.Raid;

/// <summary>
/// RAID 10 as Linux' md driver has it (drivers/md/raid10.c): near copies stand beside each other in one row, far ones in another part of each member, or
/// in the next row.
/// </summary>
internal sealed class Raid10Volume : MappedVolume
{
    private const int FarOffset = 1 << 16;
    private const int KnownLayout = 0x1FFFF;

    private readonly IBlockSource?[] _members;
    private readonly long _chunk;
    private readonly int _near;
    private readonly int _far;
    private readonly bool _isFarOffset;
    private readonly long _stride;

    /// <param name="members">The members, of one length; null for those that are missing.</param>
    /// <param name="layout">How many near and far copies there are, and whether the far ones are in the next row.</param>
    /// <param name="chunk">The length of a chunk in bytes.</param>
    /// <param name="length">How long the volume is; null if its members are full.</param>
    public Raid10Volume(IBlockSource?[] members, int layout, long chunk, long? length = null)
        : base(length ?? FullLength(members, layout, chunk))
    {
        (_members, _chunk) = (members, chunk);
        (_near, _far, _isFarOffset) = (layout & 0xFF, (layout >> 8) & 0xFF, (layout & FarOffset) != 0);
        long chunks = members.OfType<IBlockSource>().First().Length / chunk;
        _stride = (_isFarOffset ? 1 : chunks / _far) * chunk;
    }

    protected override Placement Locate(long offset)
    {
        (long number, long inChunk) = Math.DivRem(offset, _chunk);
        (long row, long first) = Math.DivRem(number * _near, _members.Length);
        long place = ((_isFarOffset ? row * _far : row) * _chunk) + inChunk;
        for (int near = 0; near < _near; near++)
        {
            (long below, long member) = Math.DivRem(first + near, _members.Length);
            for (int far = 0; far < _far; far++)
            {
                if (_members[(member + (far * _near)) % _members.Length] is { } source)
                {
                    return new Placement(source, place + (below * _chunk) + (far * _stride), _chunk - inChunk);
                }
            }
        }

        return new Placement(new Missing(long.MaxValue, "all members that have it are missing"), 0, _chunk - inChunk);
    }

    private static long FullLength(IBlockSource?[] members, int layout, long chunk)
    {
        (int near, int far) = (layout & 0xFF, (layout >> 8) & 0xFF);
        return (layout & ~KnownLayout) == 0 && near > 0 && far > 0 && near * far <= members.Length
            ? members.OfType<IBlockSource>().First().Length / chunk / far * members.Length / near * chunk
            : throw new GuestException($"its layout of RAID 10 is 0x{layout:x}, which is not handled");
    }
}
