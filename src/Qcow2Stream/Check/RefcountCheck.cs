using Qcow2Stream.Format;

namespace Qcow2Stream.Check;

/// <summary>
/// Checks the refcount table, and compares every refcount with the references that were found (section "Host cluster
/// management").
/// </summary>
internal static class RefcountCheck
{
    /// <summary>Checks the entries of the refcount table and counts their references.</summary>
    public static IEnumerable<CheckFinding> CheckTable(CheckRun run)
    {
        RecordedRefcounts recorded = run.Recorded;
        run.Count(
            run.Image.Header.RefcountTableOffset,
            recorded.TableEntries * RefcountTableEntry.Length,
            ClusterUse.Metadata,
            new CheckPlace("refcount table", HeaderLayout.RefcountTableOffset));
        for (long index = 0; index < recorded.TableEntries; index++)
        {
            RefcountTableEntry entry = recorded.TableEntry(index);
            if (entry.Value != 0)
            {
                CheckEntry(run, entry, new CheckPlace("refcount table entry", recorded.TableEntryOffset(index)));
                foreach (CheckFinding finding in run.Found())
                {
                    yield return finding;
                }
            }
        }

        foreach (CheckFinding finding in run.Found())
        {
            yield return finding;
        }
    }

    /// <summary>Compares all refcounts. Where there are neither tables nor references, it continues in large steps.</summary>
    public static IEnumerable<CheckFinding> Compare(CheckRun run)
    {
        long next;
        for (long cluster = 0; cluster < run.Clusters; cluster = next)
        {
            long before = run.Image.TableBytesRead;
            next = ComparePiece(run, cluster);
            bool mayContinue = run.MayTake(
                run.Image.TableBytesRead - before,
                CheckFindingKind.RefcountBlock,
                new CheckPlace("refcount block", next << run.Geometry.ClusterBits));
            run.Cover((next - cluster) << run.Geometry.ClusterBits);
            foreach (CheckFinding finding in run.Found())
            {
                yield return finding;
            }

            if (!mayContinue)
            {
                break;
            }
        }
    }

    private static void CheckEntry(CheckRun run, RefcountTableEntry entry, in CheckPlace place)
    {
        if (entry.HasReservedBits)
        {
            run.Corrupt(CheckFindingKind.RefcountBlock, place, $"reserved bits are set in 0x{entry.Value:x16}");
            return;
        }

        if ((entry.BlockOffset & (ulong)run.Geometry.OffsetInClusterMask) != 0)
        {
            run.Corrupt(CheckFindingKind.RefcountBlock, place, $"refcount block offset 0x{entry.BlockOffset:x} is not cluster-aligned");
            return;
        }

        ulong cluster = entry.BlockOffset >> run.Geometry.ClusterBits;
        if (cluster >= (ulong)run.Clusters)
        {
            run.Corrupt(
                CheckFindingKind.RefcountBlock,
                place,
                $"refcount block offset 0x{entry.BlockOffset:x} lies past the end of the file of {run.ActualLength} bytes");
            return;
        }

        run.Count(entry.BlockOffset, run.Geometry.ClusterSize, ClusterUse.Metadata, place);
        ulong references = run.Uses.Get((long)cluster).Count;
        if (references != 1)
        {
            run.Corrupt(
                CheckFindingKind.RefcountBlock, place, $"the refcount block at 0x{entry.BlockOffset:x} is referred to {references} times; it must be once");
        }
    }

    /// <summary>Compares from a cluster to the end of its refcount block's piece, or of its page; returns where that is.</summary>
    private static long ComparePiece(CheckRun run, long cluster)
    {
        bool readable = run.Recorded.TryGetPiece(cluster, out ulong[]? words, out long inPiece);
        if (!readable)
        {
            long unread = Math.Min(inPiece, run.Clusters - cluster);
            run.Report(
                new CheckFinding
                {
                    Severity = CheckSeverity.Error,
                    Kind = CheckFindingKind.RefcountBlock,
                    HostOffset = cluster << run.Geometry.ClusterBits,
                    Message = $"the refcounts of {unread} clusters can't be read: their refcount block is misplaced",
                },
                unread);
            return cluster + unread;
        }

        ReadOnlySpan<ushort> page = run.Uses.PageFrom(cluster, out int inPage);
        long length = Math.Min(Math.Min(inPiece, inPage), run.Clusters - cluster);
        if (words is null && page.IsEmpty)
        {
            return cluster + length;
        }

        int first = run.Recorded.IndexInPiece(cluster);
        for (int i = 0; i < length; i++)
        {
            ulong refcount = words is null ? 0 : run.Recorded.Layout.Get(words, first + i);
            (ulong references, ClusterUse use) = page.IsEmpty ? default : run.Uses.Decode(cluster + i, page[i]);
            if ((refcount | references) != 0)
            {
                run.HighestCluster = cluster + i;
                if (refcount != references || use == ClusterUse.Overlap)
                {
                    Mismatch(run, cluster + i, refcount, references, use);
                }
            }
        }

        return cluster + length;
    }

    private static void Mismatch(CheckRun run, long cluster, ulong refcount, ulong references, ClusterUse use)
    {
        // An overlap that no refcount could count was found as an overflow.
        if (use == ClusterUse.Overlap && (refcount < references || references < run.Recorded.Layout.Max))
        {
            Report(CheckSeverity.Corruption, CheckFindingKind.Overlap, ", of which one is a table's that shares its cluster with nothing");
        }
        else if (refcount < references)
        {
            Report(CheckSeverity.Corruption, CheckFindingKind.RefcountTooLow, "");
        }

        // Where not all references are known, a cluster that looks leaked may be used.
        if (refcount > references && !run.MissesReferences)
        {
            Report(CheckSeverity.Leak, CheckFindingKind.RefcountTooHigh, "");
        }

        void Report(CheckSeverity severity, CheckFindingKind kind, string problem)
        {
            long hostOffset = cluster << run.Geometry.ClusterBits;
            run.Report(new CheckFinding
            {
                Severity = severity,
                Kind = kind,
                HostOffset = hostOffset,
                Refcount = refcount,
                References = references,
                Message = $"cluster 0x{hostOffset:x}: the refcount is {refcount}, there are {references} references{problem}",
            });
        }
    }
}
