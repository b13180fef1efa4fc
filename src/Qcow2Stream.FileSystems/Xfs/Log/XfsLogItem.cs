using System.Buffers;
using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>An item of a transaction: what was changed, in regions, of which the first says what they are.</summary>
internal sealed class XfsLogItem
{
    private readonly List<ArrayBufferWriter<byte>> _regions = [];
    private readonly int _expected;

    /// <param name="first">The first region, or its beginning.</param>
    public XfsLogItem(ReadOnlySpan<byte> first)
    {
        if (first.Length < XfsLogLayout.Item.HeaderLength)
        {
            throw Damaged();
        }

        Kind = (XfsLogItemKind)BinaryPrimitives.ReadUInt16LittleEndian(first[XfsLogLayout.Item.Kind..]);
        _expected = BinaryPrimitives.ReadUInt16LittleEndian(first[XfsLogLayout.Item.Regions..]);
        if (_expected is 0 or > XfsLogLayout.Item.MaxRegions)
        {
            throw Damaged();
        }

        Add(first);
    }

    public XfsLogItemKind Kind { get; }

    public bool IsWhole => _regions.Count == _expected;

    public int RegionCount => _regions.Count;

    public void Add(ReadOnlySpan<byte> region)
    {
        ArrayBufferWriter<byte> bytes = new(Math.Max(1, region.Length));
        bytes.Write(region);
        _regions.Add(bytes);
    }

    /// <summary>Goes on with the last region.</summary>
    public void Continue(ReadOnlySpan<byte> part) => _regions[^1].Write(part);

    /// <summary>A region.</summary>
    /// <param name="index">Which.</param>
    /// <param name="least">How long it must be.</param>
    /// <exception cref="GuestException">It isn't there, or shorter.</exception>
    public ReadOnlySpan<byte> Region(int index, int least = 0) => index < _regions.Count && _regions[index].WrittenCount >= least
        ? _regions[index].WrittenSpan
        : throw Damaged();

    public ushort Short(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(Region(0, offset + sizeof(ushort))[offset..]);

    public uint Long(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(Region(0, offset + sizeof(uint))[offset..]);

    public ulong Quad(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(Region(0, offset + sizeof(ulong))[offset..]);

    public static GuestException Damaged() => new("one of its items is damaged");
}
