using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using Qcow2Stream.Format;
using Qcow2Stream.IO;

namespace Qcow2Stream.Translation;

/// <summary>
/// One qcow2 image: guest offset → L1 entry → L2 entry → run (section "Cluster mapping" of the specification).
/// Safe for any number of threads; holds no more memory than its two caches.
/// </summary>
internal sealed class Qcow2Translator : ITranslator
{
    // Tables are loaded in pieces of at most 64 KiB: an L2 table of an image with 2 MiB clusters is 2 MiB long,
    // and one look-up must not cost that much time, nor one table per layer of a long chain that much memory.
    private const int MaxPieceBits = 13;
    private const int MaxPieceEntries = 1 << MaxPieceBits;

    // QEMU's unit: a disk's size is rounded down to it.
    private const long SectorSize = 512;

    private readonly HostFile _file;
    private readonly Qcow2Header _header;
    private readonly Geometry _geometry;
    private readonly TableCache _l1Pieces;
    private readonly TableCache _l2Pieces;
    private readonly int _l2PieceEntries;
    private readonly int _l2PieceShift;
    private long _knownFileLength;

    public Qcow2Translator(HostFile file, Qcow2Header header, long fileLength, long cacheBytes)
    {
        _file = file;
        _header = header;
        _geometry = new Geometry(header.ClusterBits);
        _knownFileLength = fileLength;
        Length = header.Size & ~(SectorSize - 1);
        _l2PieceEntries = Math.Min(_geometry.L2Entries, MaxPieceEntries);
        _l2PieceShift = BitOperations.Log2((uint)_l2PieceEntries) + header.ClusterBits;

        // An L1 piece serves thousands of L2 tables, so a small share is plenty.
        long l1Share = cacheBytes / 8;
        _l1Pieces = new TableCache(
            l1Share, MaxPieceEntries * sizeof(ulong), (header.L1Size + MaxPieceEntries - 1) / MaxPieceEntries);
        _l2Pieces = new TableCache(
            cacheBytes - l1Share, _l2PieceEntries * sizeof(ulong), (Length >> _l2PieceShift) + 1);
    }

    public long Length { get; }

    public HostRun Translate(long guestOffset, long maxLength, RunDetail detail)
    {
        long l1Piece = _geometry.L1Index(guestOffset) >> MaxPieceBits;
        if (!_l1Pieces.TryGet(l1Piece, out ulong[]? l1))
        {
            l1 = Completed(LoadL1Async(l1Piece, async: false, default));
        }

        if (IsEmpty(l1, guestOffset, maxLength, out HostRun run, out long l2TableOffset))
        {
            return run;
        }

        if (!_l2Pieces.TryGet(guestOffset >> _l2PieceShift, out ulong[]? l2))
        {
            l2 = Completed(LoadL2Async(l2TableOffset, guestOffset, async: false, default));
        }

        return ScanL2(l2, l2TableOffset, guestOffset, maxLength);
    }

    public async ValueTask<HostRun> TranslateAsync(
        long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken)
    {
        long l1Piece = _geometry.L1Index(guestOffset) >> MaxPieceBits;
        if (!_l1Pieces.TryGet(l1Piece, out ulong[]? l1))
        {
            l1 = await LoadL1Async(l1Piece, async: true, cancellationToken).ConfigureAwait(false);
        }

        if (IsEmpty(l1, guestOffset, maxLength, out HostRun run, out long l2TableOffset))
        {
            return run;
        }

        if (!_l2Pieces.TryGet(guestOffset >> _l2PieceShift, out ulong[]? l2))
        {
            l2 = await LoadL2Async(l2TableOffset, guestOffset, async: true, cancellationToken).ConfigureAwait(false);
        }

        return ScanL2(l2, l2TableOffset, guestOffset, maxLength);
    }

    /// <summary>
    /// Reads the L1 entry. Where it is empty, the run goes on over all empty entries behind it that the same piece
    /// of the table holds: an empty disk of exabytes is passed in large steps.
    /// </summary>
    private bool IsEmpty(ulong[] l1, long guestOffset, long maxLength, out HostRun run, out long l2TableOffset)
    {
        int index = (int)(_geometry.L1Index(guestOffset) & (MaxPieceEntries - 1));
        l2TableOffset = new L1Entry(l1[index]).L2TableOffset;
        if (l2TableOffset != 0)
        {
            run = default;
            return false;
        }

        int empty = EntryScan.CountRun(l1.AsSpan(index), L1Entry.OffsetMask, first: 0, step: 0);
        long length = (empty * _geometry.L2Coverage) - (guestOffset & (_geometry.L2Coverage - 1));
        run = HostRun.Unallocated(guestOffset, Math.Min(length, maxLength));
        return true;
    }

    /// <summary>Reads the L2 entry of <paramref name="guestOffset"/> and sees how far the same answer holds.</summary>
    private HostRun ScanL2(ulong[] l2, long l2TableOffset, long guestOffset, long maxLength)
    {
        int index = _geometry.L2Index(guestOffset) & (_l2PieceEntries - 1);
        L2Entry entry = new(l2[index]);
        int offsetInCluster = _geometry.OffsetInCluster(guestOffset);
        if (entry.IsCompressed)
        {
            return CompressedRun(entry, l2TableOffset, guestOffset, offsetInCluster, maxLength);
        }

        CheckEntry(entry, l2TableOffset, guestOffset);
        int most = (int)Math.Min(l2.Length - index, _geometry.ClustersTouched(offsetInCluster, maxLength));
        ulong step = entry.HostOffset == 0 ? 0 : (ulong)_geometry.ClusterSize;
        long clusters = EntryScan.CountRun(l2.AsSpan(index, most), L2Entry.MeaningMask, entry.Value & L2Entry.MeaningMask, step);
        RunKind kind = entry.IsZero ? RunKind.Zero : entry.HostOffset == 0 ? RunKind.Unallocated : RunKind.Data;
        if (kind == RunKind.Data)
        {
            clusters = ClustersInsideFile(entry.HostOffset, clusters, l2TableOffset, guestOffset);
        }

        long length = Math.Min((clusters << _geometry.ClusterBits) - offsetInCluster, maxLength);
        bool hasCluster = entry.HostOffset != 0;
        return new HostRun
        {
            Kind = kind,
            GuestOffset = guestOffset,
            Length = length,
            HostOffset = hasCluster ? entry.HostOffset + offsetInCluster : HostRun.Nowhere,
            HostLength = hasCluster ? length : 0,
        };
    }

    private HostRun CompressedRun(L2Entry entry, long l2TableOffset, long guestOffset, int offsetInCluster, long maxLength)
    {
        CompressedDescriptor descriptor = CompressedDescriptor.Parse(entry, _geometry);
        long fileLength = FileLengthFor(descriptor.HostOffset + descriptor.HostLength);
        if (descriptor.HostOffset >= fileLength)
        {
            throw BadEntry(
                $"compressed cluster offset 0x{descriptor.HostOffset:x} lies past the end of the file of {fileLength} bytes",
                l2TableOffset,
                guestOffset);
        }

        return new HostRun
        {
            Kind = RunKind.Compressed,
            GuestOffset = guestOffset,
            Length = Math.Min(maxLength, _geometry.ClusterSize - offsetInCluster),
            HostOffset = descriptor.HostOffset,

            // Whole sectors are counted, and not every writer fills the last one.
            HostLength = Math.Min(descriptor.HostLength, fileLength - descriptor.HostOffset),
            OffsetInCluster = offsetInCluster,
        };
    }

    private void CheckEntry(L2Entry entry, long l2TableOffset, long guestOffset)
    {
        if (entry.IsZero && _header.Version < 3)
        {
            throw BadEntry("the zero flag is set, which version 2 does not have", l2TableOffset, guestOffset);
        }

        if (!_geometry.IsClusterAligned(entry.HostOffset))
        {
            throw BadEntry($"cluster offset 0x{entry.HostOffset:x} is not cluster-aligned", l2TableOffset, guestOffset);
        }
    }

    /// <summary>How many of the clusters from <paramref name="hostOffset"/> on start before the file ends; never 0.</summary>
    private long ClustersInsideFile(long hostOffset, long clusters, long l2TableOffset, long guestOffset)
    {
        long fileLength = FileLengthFor(hostOffset + (clusters << _geometry.ClusterBits));
        if (hostOffset >= fileLength)
        {
            throw BadEntry(
                $"cluster offset 0x{hostOffset:x} lies past the end of the file of {fileLength} bytes", l2TableOffset, guestOffset);
        }

        return Math.Min(clusters, _geometry.ClustersTouched(0, fileLength - hostOffset));
    }

    private ValueTask<ulong[]> LoadL1Async(long piece, bool async, CancellationToken cancellationToken)
    {
        long first = piece << MaxPieceBits;
        int entries = (int)Math.Min(MaxPieceEntries, _header.L1Size - first);
        return LoadAsync(_l1Pieces, piece, _header.L1TableOffset + (first * sizeof(ulong)), entries, async, cancellationToken);
    }

    private ValueTask<ulong[]> LoadL2Async(long l2TableOffset, long guestOffset, bool async, CancellationToken cancellationToken)
    {
        if (!_geometry.IsClusterAligned(l2TableOffset))
        {
            throw BadL2Table("is not cluster-aligned", l2TableOffset, guestOffset);
        }

        long end = l2TableOffset + _geometry.ClusterSize;
        long fileLength = FileLengthFor(end);
        if (end > fileLength)
        {
            throw BadL2Table($"does not lie inside the file of {fileLength} bytes", l2TableOffset, guestOffset);
        }

        int firstEntry = _geometry.L2Index(guestOffset) & ~(_l2PieceEntries - 1);
        return LoadAsync(
            _l2Pieces,
            guestOffset >> _l2PieceShift,
            l2TableOffset + (firstEntry * sizeof(ulong)),
            _l2PieceEntries,
            async,
            cancellationToken);
    }

    /// <summary>Loads a piece of a table into host byte order and keeps it. What could not be loaded is not kept.</summary>
    private async ValueTask<ulong[]> LoadAsync(
        TableCache cache, long piece, long hostOffset, int entries, bool async, CancellationToken cancellationToken)
    {
        int length = entries * sizeof(ulong);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int read = await _file.ReadAtAsync(hostOffset, buffer.AsMemory(0, length), async, cancellationToken).ConfigureAwait(false);
            if (read < length)
            {
                throw new Qcow2FormatException(
                    $"the file ends inside a table, {read} bytes into the {length} to be read", _file.Path, hostOffset: hostOffset);
            }

            ulong[] table = GC.AllocateUninitializedArray<ulong>(entries);
            ReadOnlySpan<ulong> bigEndian = MemoryMarshal.Cast<byte, ulong>(buffer.AsSpan(0, length));
            if (BitConverter.IsLittleEndian)
            {
                BinaryPrimitives.ReverseEndianness(bigEndian, table);
            }
            else
            {
                bigEndian.CopyTo(table);
            }

            cache.Add(piece, table);
            return table;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The file's length; asked of the host again only where the length known so far would be too short.</summary>
    private long FileLengthFor(long end)
    {
        long known = Volatile.Read(ref _knownFileLength);
        if (end > known)
        {
            known = _file.GetLength();
            Volatile.Write(ref _knownFileLength, known);
        }

        return known;
    }

    private Qcow2FormatException BadEntry(string problem, long l2TableOffset, long guestOffset) =>
        new(
            $"L2 entry: {problem}",
            _file.Path,
            guestOffset,
            l2TableOffset + ((long)_geometry.L2Index(guestOffset) * sizeof(ulong)));

    private Qcow2FormatException BadL2Table(string problem, long l2TableOffset, long guestOffset)
    {
        long index = _geometry.L1Index(guestOffset);
        return new(
            $"L1 entry {index}: L2 table offset 0x{l2TableOffset:x} {problem}",
            _file.Path,
            guestOffset,
            _header.L1TableOffset + (index * L1Entry.Length));
    }

    private static ulong[] Completed(ValueTask<ulong[]> load)
    {
        Debug.Assert(load.IsCompleted, "with async: false a load completes before it returns");
        return load.GetAwaiter().GetResult();
    }
}
