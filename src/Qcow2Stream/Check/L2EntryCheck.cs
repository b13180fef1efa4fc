using Qcow2Stream.Format;

namespace Qcow2Stream.Check;

/// <summary>Checks the entries of L2 tables and counts the clusters that they refer to.</summary>
/// <param name="run">The pass.</param>
/// <param name="isActive">Whether the tables are those of the active disk.</param>
internal sealed class L2EntryCheck(CheckRun run, bool isActive)
{
    private readonly Geometry _geometry = run.Geometry;
    private readonly bool _hasDataFile = run.Image.Header.HasDataFile;
    private readonly bool _hasZeroFlag = run.Image.Header.Version >= 3 && !run.Image.Header.HasExtendedL2;
    private long _nextContiguous;
    private bool _checkCopied;
    private string? _snapshotId;

    /// <summary>Begins another table: its first cluster is not fragmented, wherever it is.</summary>
    /// <param name="checkCopied">Whether the entries' COPIED flags mean anything, and can be checked.</param>
    /// <param name="snapshotId">The snapshot that refers to it; null for the active disk.</param>
    public void StartTable(bool checkCopied, string? snapshotId)
    {
        _snapshotId = snapshotId;
        _nextContiguous = 0;
        _checkCopied = checkCopied;
    }

    /// <summary>Checks a piece of a table.</summary>
    /// <param name="words">The piece.</param>
    /// <param name="entryOffset">Where it is in the file.</param>
    /// <param name="guestOffset">The guest's offset of its first entry.</param>
    public void Check(ReadOnlySpan<ulong> words, long entryOffset, long guestOffset)
    {
        int step = _geometry.WordsPerL2Entry;
        for (int word = 0; word < words.Length; word += step)
        {
            SubclusterBitmap bitmap = new(step == 1 ? 0 : words[word + 1]);
            if (words[word] == 0 && bitmap.Value == 0)
            {
                continue;
            }

            CheckPlace place = new(
                "L2 entry", entryOffset + (word * sizeof(ulong)), guestOffset + ((long)(word / step) << _geometry.ClusterBits), _snapshotId);
            L2Entry entry = new(words[word]);
            if (entry.IsCompressed)
            {
                CheckCompressed(entry, bitmap, place);
            }
            else
            {
                CheckStandard(entry, bitmap, place);
            }
        }
    }

    private void CheckCompressed(L2Entry entry, SubclusterBitmap bitmap, in CheckPlace place)
    {
        CompressedDescriptor descriptor = CompressedDescriptor.Parse(entry, _geometry);
        if (entry.IsCopied)
        {
            run.Corrupt(CheckFindingKind.CopiedFlag, place, $"COPIED is set for the compressed cluster at 0x{descriptor.HostOffset:x}");
        }

        if (_hasDataFile)
        {
            run.Corrupt(CheckFindingKind.CompressedCluster, place, "a compressed cluster, which an image with an external data file can't have");
            return;
        }

        if (bitmap.Value != 0)
        {
            run.Corrupt(CheckFindingKind.CompressedCluster, place, $"a compressed cluster has the subcluster bitmap 0x{bitmap.Value:x16}; it must be 0");
            return;
        }

        if (run.Image.Header.EncryptionMethod != Qcow2EncryptionMethod.None)
        {
            run.Warn(CheckFindingKind.CompressedCluster, place, "a compressed cluster, which an encrypted image can't have");
        }

        run.Count((ulong)descriptor.HostOffset, descriptor.HostLength, ClusterUse.Data, place);
        if (isActive)
        {
            // A compressed cluster takes parts of sectors, so QEMU calls every one fragmented.
            run.AllocatedClusters += run.Times;
            run.CompressedClusters += run.Times;
            run.FragmentedClusters += run.Times;
        }
    }

    private void CheckStandard(L2Entry entry, SubclusterBitmap bitmap, in CheckPlace place)
    {
        if ((entry.Value & L2Entry.ReservedMask) != 0)
        {
            run.Corrupt(CheckFindingKind.ReservedBits, place, $"reserved bits are set in 0x{entry.Value:x16}");
        }

        if (entry.IsZero && !_hasZeroFlag)
        {
            run.Warn(
                CheckFindingKind.ReservedBits,
                place,
                $"the zero flag is set, which {(_geometry.HasExtendedL2 ? "extended L2 entries do" : "version 2 does")} not have");
        }

        if (entry.HostOffset == 0 && !(_hasDataFile && entry.IsCopied && (_geometry.HasExtendedL2 || !entry.IsZero)))
        {
            if (bitmap.Allocated != 0)
            {
                run.Corrupt(
                    CheckFindingKind.SubclusterBitmap,
                    place,
                    $"the subcluster bitmap 0x{bitmap.Value:x16} calls subclusters allocated, but there is no cluster");
            }

            return;
        }

        if (bitmap.IsContradictory)
        {
            run.Corrupt(
                CheckFindingKind.SubclusterBitmap, place, $"the subcluster bitmap 0x{bitmap.Value:x16} calls subclusters both allocated and zero");
        }

        CheckCluster(entry, place);
    }

    private void CheckCluster(L2Entry entry, in CheckPlace place)
    {
        if (!_geometry.IsClusterAligned(entry.HostOffset))
        {
            run.Corrupt(CheckFindingKind.Misaligned, place, $"cluster offset 0x{entry.HostOffset:x} is not cluster-aligned");
        }

        if (isActive)
        {
            run.AllocatedClusters += run.Times;
            run.FragmentedClusters += _nextContiguous != 0 && entry.HostOffset != _nextContiguous ? run.Times : 0;
            _nextContiguous = entry.HostOffset + _geometry.ClusterSize;
        }

        // The clusters of a data file are not counted: there each belongs to one guest cluster forever.
        ulong refcount = 1;
        if (_hasDataFile)
        {
            if (entry.HostOffset != place.GuestOffset)
            {
                run.Warn(
                    CheckFindingKind.DataFileOffset,
                    place,
                    $"cluster offset 0x{entry.HostOffset:x} in the external data file is not the guest's offset 0x{place.GuestOffset:x}");
            }
        }
        else
        {
            run.Count((ulong)entry.HostOffset, _geometry.ClusterSize, ClusterUse.Data, place);
            if (!_checkCopied || !run.Recorded.TryGet(entry.HostOffset >> _geometry.ClusterBits, out refcount))
            {
                return;
            }
        }

        if (_checkCopied && entry.IsCopied != (refcount == 1))
        {
            run.Corrupt(
                CheckFindingKind.CopiedFlag,
                place,
                _hasDataFile
                    ? "COPIED is clear, which it must not be for a cluster of an external data file"
                    : $"COPIED is {(entry.IsCopied ? "set" : "clear")}, but the refcount of cluster 0x{entry.HostOffset:x} is {refcount}");
        }
    }
}
