using Qcow2Stream.Format;

namespace Qcow2Stream.Check;

/// <summary>
/// Checks L1 tables with the L2 tables that they refer to, and counts their references (sections "L1 table entry" and
/// "L2 table entry").
/// </summary>
/// <param name="run">The pass.</param>
/// <param name="isActive">
/// Whether it is the active L1 table, and not those of snapshots. Only the active tables' COPIED flags mean anything, and
/// only their clusters go into the statistics.
/// </param>
internal sealed class L1Check(CheckRun run, bool isActive)
{
    private readonly Geometry _geometry = run.Geometry;
    private readonly L2EntryCheck _entries = new(run, isActive);
    private readonly WalkedTables _walked = new(run.Uses);

    /// <summary>Checks a table of <paramref name="entries"/> entries.</summary>
    public IEnumerable<CheckFinding> Check(ulong tableOffset, long entries, CheckPlace reference)
    {
        long toCover = Coverage(entries);
        long covered = 0;
        run.Expect(toCover);
        long toWalk = run.MayWalk(tableOffset, entries * L1Entry.Length, CheckFindingKind.SnapshotTable, reference) ? entries : 0;
        foreach ((long first, long pieceOffset, ulong[] piece) in run.Pieces(tableOffset, toWalk, CheckFindingKind.SnapshotTable, reference))
        {
            for (int i = 0; i < piece.Length; i++)
            {
                if (piece[i] == 0)
                {
                    continue;
                }

                CheckPlace place = new("L1 entry", pieceOffset + (i * L1Entry.Length), (first + i) * _geometry.L2Coverage, reference.SnapshotId);
                foreach (CheckFinding finding in CheckEntry(new L1Entry(piece[i]), place))
                {
                    yield return finding;
                }

                long end = Coverage(first + i + 1);
                run.Cover(end - covered);
                covered = end;
            }
        }

        run.Cover(toCover - covered);
        foreach (CheckFinding finding in run.Found())
        {
            yield return finding;
        }
    }

    /// <summary>
    /// Checks the tables that were referred to more than once, for all those references in one: else a small file could
    /// keep a check busy for days, by many references to one table.
    /// </summary>
    public IEnumerable<CheckFinding> CheckRepeated()
    {
        foreach ((long tableOffset, WalkedTable table) in _walked.Repeated)
        {
            run.Times = table.Repeats;
            foreach (CheckFinding finding in CheckTable(tableOffset, table.Place, table.ChecksCopied))
            {
                yield return finding;
            }
        }

        run.Times = 1;
    }

    /// <summary>How much of a disk so many entries describe, in bytes.</summary>
    private long Coverage(long entries) => Math.Min(entries, long.MaxValue / _geometry.L2Coverage) * _geometry.L2Coverage;

    private IEnumerable<CheckFinding> CheckEntry(L1Entry entry, CheckPlace place)
    {
        long tableOffset = entry.L2TableOffset;
        if ((entry.Value & L1Entry.ReservedMask) != 0)
        {
            run.Corrupt(CheckFindingKind.ReservedBits, place, $"reserved bits are set in 0x{entry.Value:x16}");
        }

        run.Count((ulong)tableOffset, _geometry.ClusterSize, ClusterUse.L2Table, place);
        if (!_geometry.IsClusterAligned(tableOffset))
        {
            run.Corrupt(CheckFindingKind.Misaligned, place, $"L2 table offset 0x{tableOffset:x} is not cluster-aligned");
        }

        bool checkCopied = isActive && CheckCopied(entry, place);
        if (tableOffset < run.FileLength && _walked.IsFirst(tableOffset, new WalkedTable(place, checkCopied)))
        {
            foreach (CheckFinding finding in CheckTable(tableOffset, place, checkCopied))
            {
                yield return finding;
            }
        }

        // Entries that lead to tables that were walked before have findings too: they aren't kept until the end.
        foreach (CheckFinding finding in run.Found())
        {
            yield return finding;
        }
    }

    private IEnumerable<CheckFinding> CheckTable(long tableOffset, CheckPlace place, bool checkCopied)
    {
        _entries.StartTable(checkCopied, place.SnapshotId);
        long words = (long)_geometry.L2Entries * _geometry.WordsPerL2Entry;
        foreach ((long first, long entryOffset, ulong[] piece) in run.Pieces((ulong)tableOffset, words, CheckFindingKind.SnapshotTable, place))
        {
            _entries.Check(piece, entryOffset, place.GuestOffset!.Value + (first / _geometry.WordsPerL2Entry << _geometry.ClusterBits));
            foreach (CheckFinding finding in run.Found())
            {
                yield return finding;
            }
        }
    }

    /// <summary>Checks COPIED; false if there is no table, or its refcount can't be read, and the entries' flags are not to be checked either.</summary>
    private bool CheckCopied(L1Entry entry, in CheckPlace place)
    {
        if (entry.L2TableOffset == 0 || !run.Recorded.TryGet(entry.L2TableOffset >> _geometry.ClusterBits, out ulong refcount))
        {
            return false;
        }

        if (entry.IsCopied != (refcount == 1))
        {
            run.Corrupt(
                CheckFindingKind.CopiedFlag, place, $"COPIED is {(entry.IsCopied ? "set" : "clear")}, but the L2 table's refcount is {refcount}");
        }

        return true;
    }
}
