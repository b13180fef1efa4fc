using System.Buffers.Binary;

namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>Lays out the image that a <see cref="Qcow2Builder"/> describes.</summary>
internal sealed class Qcow2Writer
{
    private const ulong Copied = 1UL << 63;
    private const ulong CompressedFlag = 1UL << 62;
    private const ulong ZeroFlag = 1;

    private readonly Qcow2Builder _description;
    private readonly HostAllocator _allocator;
    private readonly SparseBuffer _file = new();
    private readonly SparseBuffer _dataFile = new();
    private readonly List<ExpectedRun> _runs = [];
    private readonly Dictionary<int, long> _l2Offsets = [];
    private readonly SortedDictionary<long, L2Entry> _entries = [];
    private readonly SortedDictionary<long, long> _refcountBlocks = [];
    private long _compressedCursor;

    public Qcow2Writer(Qcow2Builder description)
    {
        _description = description;
        _allocator = new HostAllocator(description.ClusterBits);
    }

    private int ClusterSize => _description.ClusterSize;

    public Qcow2Image Write()
    {
        foreach (GuestClusters clusters in _description.Clusters.Where(IsPlacedInFile))
        {
            long length = clusters.Kind == GuestClusterKind.Compressed
                ? PackedLength(clusters, clusters.Count)
                : (long)clusters.Count * ClusterSize;
            _allocator.Take(clusters.HostOffset!.Value, length);
        }

        _allocator.Allocate(1);
        int l1Size = _description.L1Size ?? Math.Max(_description.NeededL1Size, _description.L1Entries.Keys.DefaultIfEmpty(-1).Max() + 1);
        long l1Offset = l1Size == 0 ? 0 : _allocator.Allocate(ClustersFor((long)l1Size * 8));
        AllocateL2Tables();
        AllocateCompressedArea();
        foreach (GuestClusters clusters in _description.Clusters)
        {
            Place(clusters);
        }

        WriteL1(l1Offset, l1Size);
        WriteL2Tables();
        (long tableOffset, int tableClusters) = WriteRefcounts();
        _file.Write(0, new HeaderWriter(_description).Write(l1Offset, l1Size, tableOffset, tableClusters));
        _file.Extend(_allocator.EndOffset);
        return new Qcow2Image(_description, _file, _dataFile, _runs)
        {
            L1Offset = l1Offset,
            L1Size = l1Size,
            L2Offsets = _l2Offsets,
            RefcountTableOffset = tableOffset,
            RefcountTableClusters = tableClusters,
            RefcountBlockOffsets = _refcountBlocks,
        };
    }

    private void AllocateL2Tables()
    {
        IEnumerable<long> l1Indexes = _description.Clusters
            .SelectMany(clusters => Enumerable.Range(0, Math.Max(clusters.Count, 1)).Select(index => clusters.First + index))
            .Select(cluster => cluster / _description.L2Entries)
            .Distinct()
            .Order();
        foreach (int l1Index in l1Indexes.Select(index => checked((int)index)).Where(index => !_description.L1Entries.ContainsKey(index)))
        {
            _l2Offsets[l1Index] = _allocator.Allocate(1);
        }
    }

    private bool IsPlacedInFile(GuestClusters clusters) =>
        clusters.HostOffset is { } offset &&
        (clusters.Kind == GuestClusterKind.Compressed || (!_description.ExternalData && offset % ClusterSize == 0));

    private int ClustersFor(long length) => checked((int)((length + ClusterSize - 1) / ClusterSize));

    private void Place(GuestClusters clusters)
    {
        switch (clusters.Kind)
        {
            case GuestClusterKind.Data:
                PlaceData(clusters, isZero: false);
                break;
            case GuestClusterKind.ZeroAllocated:
                PlaceData(clusters, isZero: true);
                break;
            case GuestClusterKind.Zero:
                for (int index = 0; index < clusters.Count; index++)
                {
                    Add(clusters.First + index, ZeroEntry(0), ExpectedRun.Zero(null));
                }

                break;
            case GuestClusterKind.Compressed:
                PlaceCompressed(clusters);
                break;
            case GuestClusterKind.Subclusters:
                PlaceSubclusters(clusters);
                break;
            default:
                Add(clusters.First, new L2Entry(clusters.Entry, clusters.Bitmap), ExpectedRun.Unknown);
                break;
        }
    }

    private void PlaceData(GuestClusters clusters, bool isZero)
    {
        long hostOffset = Store(clusters);
        for (int index = 0; index < clusters.Count; index++)
        {
            long host = hostOffset + ((long)index * ClusterSize);
            Add(
                clusters.First + index,
                isZero ? ZeroEntry(host) : new L2Entry((ulong)host, _description.ExtendedL2 ? uint.MaxValue : 0),
                isZero ? ExpectedRun.Zero(host) : ExpectedRun.Data(host, clusters.Content(index, ClusterSize)));
        }
    }

    private void PlaceSubclusters(GuestClusters clusters)
    {
        long? host = clusters.Count == 0 ? null : Store(clusters);
        byte[] content = clusters.Content(0, ClusterSize);
        int size = ClusterSize / 32;
        _entries.Add(clusters.First, new L2Entry((ulong)(host ?? 0), clusters.Bitmap));
        for (int index = 0; index < 32; index++)
        {
            bool allocated = ((clusters.Bitmap >> index) & 1) != 0;
            bool zero = ((clusters.Bitmap >> (32 + index)) & 1) != 0;
            long? subclusterHost = host + (index * size);
            ExpectedRun run = (allocated, zero) switch
            {
                (true, false) => ExpectedRun.Data(subclusterHost, content[..size]),
                (false, true) => ExpectedRun.Zero(subclusterHost),
                (false, false) => ExpectedRun.Unallocated(subclusterHost),
                _ => ExpectedRun.Unknown,
            };
            _runs.Add(run with { GuestOffset = (clusters.First * ClusterSize) + ((long)index * size), Length = size });
        }
    }

    private long Store(GuestClusters clusters)
    {
        long length = (long)clusters.Count * ClusterSize;
        long hostOffset = clusters.HostOffset
            ?? (_description.ExternalData ? clusters.First * ClusterSize : _allocator.Allocate(clusters.Count, referenced: false));
        if (hostOffset % ClusterSize != 0)
        {
            return hostOffset;
        }

        SparseBuffer target = _description.ExternalData ? _dataFile : _file;
        for (int index = 0; index < clusters.Count; index++)
        {
            target.Write(hostOffset + ((long)index * ClusterSize), clusters.Content(index, ClusterSize));
        }

        if (!_description.ExternalData)
        {
            _allocator.Reference(hostOffset, length);
        }

        return hostOffset;
    }

    private L2Entry ZeroEntry(long hostOffset) => _description.ExtendedL2
        ? new L2Entry((ulong)hostOffset, (ulong)uint.MaxValue << 32)
        : new L2Entry((ulong)hostOffset | ZeroFlag, 0);

    // Compressed clusters follow one another without regard to the borders of host clusters, as in QEMU's images.
    private void AllocateCompressedArea()
    {
        long length = _description.Clusters
            .Where(clusters => clusters.Kind == GuestClusterKind.Compressed && clusters.HostOffset is null)
            .Sum(clusters => PackedLength(clusters, clusters.Count));
        _compressedCursor = length == 0 ? 0 : _allocator.Allocate(ClustersFor(length), referenced: false);
    }

    private long PackedLength(GuestClusters clusters, int count) =>
        Enumerable.Range(0, count).Sum(index => (long)clusters.Skip + PayloadOf(clusters, index).Length);

    private void PlaceCompressed(GuestClusters clusters)
    {
        long hostOffset = clusters.HostOffset ?? _compressedCursor;
        for (int index = 0; index < clusters.Count; index++)
        {
            hostOffset += clusters.Skip;
            hostOffset += PlaceCompressed(clusters, index, hostOffset);
        }

        _compressedCursor = clusters.HostOffset is null ? hostOffset : _compressedCursor;
    }

    private int PlaceCompressed(GuestClusters clusters, int index, long hostOffset)
    {
        byte[] payload = PayloadOf(clusters, index);
        _file.Write(hostOffset, payload);
        long additionalSectors = clusters.AdditionalSectors
            ?? ((hostOffset + Math.Max(payload.Length, 1) - 1) / 512) - (hostOffset / 512);
        long length = ((additionalSectors + 1) * 512) - (hostOffset % 512);
        _allocator.Take(hostOffset, length);
        _allocator.Reference(hostOffset, length);
        int offsetBits = 62 - (_description.ClusterBits - 8);
        Add(
            clusters.First + index,
            new L2Entry(CompressedFlag | ((ulong)additionalSectors << offsetBits) | (ulong)hostOffset, 0),
            clusters.Payload is null ? ExpectedRun.Compressed(clusters.Content(index, ClusterSize)) : ExpectedRun.Unknown);
        return payload.Length;
    }

    private byte[] PayloadOf(GuestClusters clusters, int index) =>
        clusters.Payload ?? ClusterCompressor.Compress(clusters.Content(index, ClusterSize), _description.CompressionType);

    private void Add(long cluster, L2Entry entry, ExpectedRun run)
    {
        _entries.Add(cluster, entry);
        _runs.Add(run with { GuestOffset = cluster * ClusterSize, Length = ClusterSize });
    }

    private void WriteL1(long l1Offset, int l1Size)
    {
        for (int index = 0; index < l1Size; index++)
        {
            ulong entry = _l2Offsets.TryGetValue(index, out long l2Offset) ? (ulong)l2Offset | Copied : 0;
            WriteU64(l1Offset + (index * 8L), _description.L1Entries.GetValueOrDefault(index, entry));
        }
    }

    private void WriteL2Tables()
    {
        foreach ((long cluster, L2Entry entry) in _entries)
        {
            (long l1Index, long l2Index) = Math.DivRem(cluster, (long)_description.L2Entries);
            if (!_l2Offsets.TryGetValue((int)l1Index, out long l2Offset))
            {
                continue;
            }

            long position = l2Offset + (l2Index * _description.L2EntrySize);
            WriteU64(position, entry.Value | CopiedFlagOf(cluster, entry.Value));
            if (_description.ExtendedL2)
            {
                WriteU64(position + 8, entry.Bitmap);
            }
        }
    }

    private ulong CopiedFlagOf(long cluster, ulong entry)
    {
        if ((entry & CompressedFlag) != 0 || _description.Clusters.Any(clusters => clusters.Kind == GuestClusterKind.RawEntry && clusters.First == cluster))
        {
            return 0;
        }

        long hostOffset = (long)(entry & ~ZeroFlag);
        bool isPlain = hostOffset == 0 && _runs.Any(run => run.GuestOffset == cluster * ClusterSize && run.HostOffset is null);
        bool isOnlyOwner = _description.ExternalData || (hostOffset % ClusterSize == 0 && _allocator.RefcountAt(hostOffset) == 1);
        return !isPlain && isOnlyOwner ? Copied : 0;
    }

    // The blocks count themselves and the table that points at them, so space is taken until nothing is missing.
    private (long TableOffset, int TableClusters) WriteRefcounts()
    {
        int perBlock = checked((int)((ClusterSize * 8L) >> _description.RefcountOrder));
        AllocateMissingBlocks(perBlock);
        long blocks = _refcountBlocks.Keys.Last() + 2;
        int tableClusters = ClustersFor((blocks + ClustersFor(blocks * 8)) * 8);
        long tableOffset = _allocator.Allocate(tableClusters);
        AllocateMissingBlocks(perBlock);
        foreach ((long index, long offset) in _refcountBlocks)
        {
            WriteU64(tableOffset + (index * 8), (ulong)offset);
        }

        _file.Extend(tableOffset + ((long)tableClusters * ClusterSize));
        foreach (IGrouping<long, KeyValuePair<long, ulong>> group in _allocator.Refcounts.GroupBy(pair => pair.Key / perBlock))
        {
            byte[] block = new byte[ClusterSize];
            foreach ((long cluster, ulong count) in group)
            {
                SetRefcount(block, (int)(cluster % perBlock), count);
            }

            _file.Write(_refcountBlocks[group.Key], block);
        }

        return (tableOffset, tableClusters);
    }

    private void AllocateMissingBlocks(int perBlock)
    {
        while (true)
        {
            long[] missing = [.. _allocator.Refcounts.Select(pair => pair.Key / perBlock).Distinct().Where(index => !_refcountBlocks.ContainsKey(index))];
            if (missing.Length == 0)
            {
                return;
            }

            foreach (long index in missing)
            {
                _refcountBlocks[index] = _allocator.Allocate(1);
            }
        }
    }

    private void SetRefcount(byte[] block, int index, ulong count)
    {
        int bits = 1 << _description.RefcountOrder;
        if (bits < 64 && count >> bits != 0)
        {
            throw new InvalidOperationException($"A refcount of {count} does not fit into {bits} bits.");
        }

        if (bits < 8)
        {
            int perByte = 8 / bits;
            block[index / perByte] |= (byte)(count << (index % perByte * bits));
            return;
        }

        Span<byte> value = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(value, count);
        value[(8 - (bits / 8))..].CopyTo(block.AsSpan(index * (bits / 8)));
    }

    private void WriteU64(long offset, ulong value) => _file.Write(offset, new byte[8].WriteU64(0, value));
}
