namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>All blocks that one file gets, or loses, when the guest mounts the file system again: sorted, and none over another.</summary>
internal sealed class XfsRemaps
{
    private readonly List<XfsRemap> _parts = [];

    /// <summary>Adds one more; it takes the place of what was there.</summary>
    public void Add(XfsRemap added)
    {
        int first = FirstBehind(added.FileBlock);
        List<XfsRemap> parts = [added];
        if (first > 0 && _parts[first - 1].End > added.FileBlock)
        {
            first--;
            parts.Insert(0, _parts[first] with { Count = added.FileBlock - _parts[first].FileBlock });
        }

        int end = first;
        while (end < _parts.Count && _parts[end].FileBlock < added.End)
        {
            end++;
        }

        if (end > first && _parts[end - 1] is var last && last.End > added.End)
        {
            parts.Add(new XfsRemap(added.End, last.End - added.End, last.Block + (added.End - last.FileBlock)));
        }

        parts.RemoveAll(part => part.Count == 0);
        _parts.RemoveRange(first, end - first);
        _parts.InsertRange(first, parts);
    }

    /// <summary>What is found at a block once this is done.</summary>
    /// <param name="stored">What is found there now.</param>
    public XfsRun Over(XfsRun stored)
    {
        int next = FirstBehind(stored.FileBlock);
        if (next > 0 && _parts[next - 1] is var part && part.End > stored.FileBlock)
        {
            ulong skipped = stored.FileBlock - part.FileBlock;
            return new XfsRun(stored.FileBlock, part.Count - skipped, part.Block + skipped);
        }

        return next < _parts.Count ? stored with { Count = Math.Min(stored.Count, _parts[next].FileBlock - stored.FileBlock) } : stored;
    }

    /// <summary>The first that starts behind a block.</summary>
    private int FirstBehind(ulong fileBlock)
    {
        (int low, int high) = (0, _parts.Count);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _parts[middle].FileBlock > fileBlock ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
