using System.Runtime.InteropServices;

namespace Qcow2Stream.Check;

/// <summary>The L2 tables that were checked, by their offsets in the file. Its memory counts towards that of the references.</summary>
internal sealed class WalkedTables(ClusterUses uses)
{
    private const int EntryBytes = 128;

    private readonly Dictionary<long, WalkedTable> _tables = [];

    /// <summary>The tables with more than one reference.</summary>
    public IEnumerable<KeyValuePair<long, WalkedTable>> Repeated => _tables.Where(t => t.Value.Repeats > 0);

    /// <summary>Notes a reference to a table; false if it is not the first, and the table is not to be checked now.</summary>
    public bool IsFirst(long tableOffset, WalkedTable reference)
    {
        ref WalkedTable known = ref CollectionsMarshal.GetValueRefOrAddDefault(_tables, tableOffset, out bool exists);
        if (!exists)
        {
            uses.Charge(EntryBytes);
            known = reference;
            return true;
        }

        known = known.Repeats == 0 ? reference with { Repeats = 1 } : known with { Repeats = known.Repeats + 1 };
        return false;
    }
}
