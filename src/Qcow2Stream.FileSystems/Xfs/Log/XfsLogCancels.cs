namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>Buffers that were freed. What was logged of them before may not be written: the blocks can be a file's content since then.</summary>
/// <param name="budget">What the memory is taken from.</param>
internal sealed class XfsLogCancels(XfsLogBudget budget)
{
    private readonly Dictionary<(ulong Place, uint Sectors), int> _counts = [];

    /// <summary>Notes that a buffer was freed.</summary>
    public void Add(ulong place, uint sectors)
    {
        if (!_counts.TryGetValue((place, sectors), out int count))
        {
            budget.Take(XfsLogBudget.Overhead);
        }

        _counts[(place, sectors)] = count + 1;
    }

    /// <summary>Goes past where a buffer was freed.</summary>
    public void Pass(ulong place, uint sectors)
    {
        if (_counts.TryGetValue((place, sectors), out int count))
        {
            _counts[(place, sectors)] = count - 1;
        }
    }

    /// <summary>Whether a buffer is freed later.</summary>
    public bool Has(ulong place, uint sectors) => _counts.GetValueOrDefault((place, sectors)) > 0;
}
