using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>
/// What transactions left to be done by others, and was not done when the log ends. Linux does it after the replay: it changes where blocks of files are, or
/// only what is free, shared or whose.
/// </summary>
/// <param name="budget">What the memory is taken from.</param>
internal sealed class XfsLogIntents(XfsLogBudget budget)
{
    // In the order in which they were logged.
    private readonly OrderedDictionary<(XfsLogItemKind Kind, ulong Id), byte[]> _open = [];

    /// <summary>Notes what is to be done.</summary>
    public void Begin(XfsLogItem item)
    {
        byte[] bytes = item.Region(0, XfsLogLayout.Intent.Extents).ToArray();
        budget.Take(bytes.Length + (2 * XfsLogBudget.Overhead));
        _open[(item.Kind, item.Quad(XfsLogLayout.Intent.Id))] = bytes;
    }

    /// <summary>Notes that something is done.</summary>
    /// <param name="item">The item.</param>
    /// <param name="intent">What kind of thing.</param>
    public void End(XfsLogItem item, XfsLogItemKind intent)
    {
        if (_open.Remove((intent, item.Quad(XfsLogLayout.Intent.Id)), out byte[]? bytes))
        {
            budget.Return(bytes.Length + (2 * XfsLogBudget.Overhead));
        }
    }

    /// <summary>How many blocks are still to be freed.</summary>
    public ulong FreedBlocks()
    {
        ulong blocks = 0;
        foreach (byte[] bytes in Of(XfsLogItemKind.FreeIntent))
        {
            uint count = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(XfsLogLayout.Intent.Count));
            int length = bytes.Length - XfsLogLayout.Intent.Extents;
            int each = (ulong)length >= (ulong)count * XfsLogLayout.Intent.FreeLength ? XfsLogLayout.Intent.FreeLength : XfsLogLayout.Intent.PackedFreeLength;
            for (int at = XfsLogLayout.Intent.Extents; count > 0 && at + XfsLogLayout.Intent.PackedFreeLength <= bytes.Length; at += each, count--)
            {
                blocks += BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + XfsLogLayout.Intent.FreeBlocks));
            }
        }

        return blocks;
    }

    /// <summary>What is to be done to the content of files, in the order in which it was logged: where their blocks are, and what they exchange.</summary>
    public IEnumerable<(XfsLogItemKind Kind, byte[] Bytes)> OfContent() => _open
        .Where(entry => entry.Key.Kind is XfsLogItemKind.MapIntent or XfsLogItemKind.ExchangeIntent)
        .Select(entry => (entry.Key.Kind, entry.Value));

    private IEnumerable<byte[]> Of(XfsLogItemKind kind) => _open.Where(entry => entry.Key.Kind == kind).Select(entry => entry.Value);
}
