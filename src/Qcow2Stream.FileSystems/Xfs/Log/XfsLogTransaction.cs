using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>A transaction, as it comes together from the operations of one record or several.</summary>
/// <param name="lsn">The number of the record that it began in.</param>
/// <param name="budget">What the memory for it is taken from.</param>
internal sealed class XfsLogTransaction(ulong lsn, XfsLogBudget budget)
{
    private readonly List<XfsLogItem> _items = [];
    private readonly List<byte> _header = [];
    private long _taken;

    public ulong Lsn => lsn;

    public IReadOnlyList<XfsLogItem> Items => _items;

    /// <summary>Adds a region: the header at first, then those of one item after the other.</summary>
    public void Add(ReadOnlySpan<byte> region)
    {
        if (region.Length == 0)
        {
            return;
        }

        Take(region.Length + (2 * XfsLogBudget.Overhead));
        if (_header.Count == 0)
        {
            AddToHeader(region);
        }
        else if (_items.Count == 0 || _items[^1].IsWhole)
        {
            _items.Add(new XfsLogItem(region));
        }
        else
        {
            _items[^1].Add(region);
        }
    }

    /// <summary>Adds the rest of a region that began in the record before.</summary>
    public void Continue(ReadOnlySpan<byte> part)
    {
        // A region that grows takes up to twice its length.
        Take(2 * part.Length);
        if (_items.Count == 0)
        {
            AddToHeader(part);
        }
        else
        {
            _items[^1].Continue(part);
        }
    }

    /// <summary>Gives back the memory.</summary>
    public void End() => budget.Return(_taken);

    private void AddToHeader(ReadOnlySpan<byte> part)
    {
        _header.AddRange(part);
        if (_header.Count > XfsLogLayout.Transaction.HeaderLength
            || (_header.Count >= sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian([.. _header[..sizeof(uint)]]) != XfsLogLayout.Transaction.Magic))
        {
            throw new GuestException("one of its transactions is damaged");
        }
    }

    private void Take(long bytes)
    {
        _taken += bytes;
        budget.Take(bytes);
    }
}
