using Qcow2Stream.Format;
using Qcow2Stream.Images;
using Qcow2Stream.Text;

namespace Qcow2Stream.Translation;

/// <summary>
/// The disk of an image in QEMU's first format: guest offset → L1 entry → L2 entry → run. Safe for any number of
/// threads; holds no more memory than its two caches.
/// </summary>
internal sealed class Qcow1Translator : ITranslator
{
    // No host has files so long; below it, sums of an offset and a table's worth of clusters stay positive.
    private const long MaxHostOffset = long.MaxValue >> 1;

    private readonly Qcow1Image _image;
    private readonly Qcow1Header _header;
    private readonly L1Pieces _l1Pieces;
    private readonly TableCache _l2Tables;

    /// <summary>Initializes the translator.</summary>
    /// <param name="image">The image, whose L1 table lies inside the file.</param>
    /// <param name="cacheBytes">The memory for tables.</param>
    public Qcow1Translator(Qcow1Image image, long cacheBytes)
    {
        _image = image;
        _header = image.Header;
        Length = _header.Size & ~(Sector.Size - 1);

        L1Location l1 = new(_header.L1TableOffset, _header.L1Entries);
        _l1Pieces = new L1Pieces(image, l1, _header.L1Shift, ulong.MaxValue, cacheBytes);

        // An L2 table is a piece by itself.
        MostWalks = (int)(_l1Pieces.WalksShare / (_header.L2Entries * sizeof(ulong)));
        _l2Tables = new TableCache(_l1Pieces.L2Share, _header.L2Entries * sizeof(ulong), _header.L1Entries);
    }

    private Qcow1Translator(Qcow1Translator other)
    {
        _image = other._image;
        _header = other._header;
        _l1Pieces = other._l1Pieces;
        _l2Tables = TableCache.ForWalk();
        Length = other.Length;
    }

    public long Length { get; }

    public int MostWalks { get; }

    private long L2Coverage => 1L << _header.L1Shift;

    public HostRun Translate(long guestOffset, long maxLength, RunDetail detail) =>
        TranslateAsync(guestOffset, maxLength, async: false, default).Now();

    public ITranslator ForWalk() => new Qcow1Translator(this);

    public ValueTask<HostRun> TranslateAsync(
        long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken) =>
        TranslateAsync(guestOffset, maxLength, async: true, cancellationToken);

    private async ValueTask<HostRun> TranslateAsync(long guestOffset, long maxLength, bool async, CancellationToken cancellationToken)
    {
        long l1Index = guestOffset >> _header.L1Shift;
        if (!_l1Pieces.TryGet(guestOffset, out ulong[]? l1))
        {
            l1 = await _l1Pieces.LoadAsync(guestOffset, async, cancellationToken).ConfigureAwait(false);
        }

        ulong l2Offset = _l1Pieces.Entry(l1, guestOffset);
        if (l2Offset == 0)
        {
            return _l1Pieces.Empty(l1, guestOffset, maxLength);
        }

        if (!_l2Tables.TryGet(l1Index, out ulong[]? l2))
        {
            CheckL2Table(l2Offset, l1Index);
            if (TablePieces.IsEmpty(_image, (long)l2Offset, _header.L2Entries, guestOffset & -L2Coverage))
            {
                return HostRun.Unallocated(guestOffset, Math.Min(maxLength, (guestOffset & -L2Coverage) + L2Coverage - guestOffset));
            }

            l2 = _l2Tables.NewTable(_header.L2Entries);
            await TablePieces.LoadAsync(_image, (long)l2Offset, l2, guestOffset & -L2Coverage, async, cancellationToken).ConfigureAwait(false);
            _l2Tables.Add(l1Index, l2);
        }

        return Scan(l2, (long)l2Offset, guestOffset, maxLength);
    }

    private HostRun Scan(ulong[] l2, long l2Offset, long guestOffset, long maxLength)
    {
        int index = (int)(guestOffset >> _header.ClusterBits) & (_header.L2Entries - 1);
        int offsetInCluster = (int)guestOffset & (_header.ClusterSize - 1);
        long entryOffset = l2Offset + ((long)index * sizeof(ulong));
        Qcow1L2Entry entry = new(l2[index]);
        if (entry.IsCompressed)
        {
            return CompressedRun(entry, guestOffset, offsetInCluster, maxLength, entryOffset);
        }

        bool isData = entry.HostOffset != 0;
        if (isData && (entry.HostOffset & (Sector.Size - 1)) != 0)
        {
            throw Bad($"cluster offset 0x{entry.HostOffset:x} is not sector-aligned", guestOffset, entryOffset);
        }

        if (entry.HostOffset > MaxHostOffset)
        {
            throw Bad($"cluster offset 0x{entry.HostOffset:x} is past the end of any file", guestOffset, entryOffset);
        }

        int most = (int)Math.Min(l2.Length - index, ClustersIn(offsetInCluster + maxLength));
        long clusters = EntryScan.CountRun(
            l2.AsSpan(index, most), ulong.MaxValue, entry.Value, isData ? (ulong)_header.ClusterSize : 0);
        if (isData)
        {
            clusters = InsideFile(entry.HostOffset, clusters, guestOffset, entryOffset);
        }

        long length = Math.Min((clusters << _header.ClusterBits) - offsetInCluster, maxLength);
        return isData
            ? new HostRun
            {
                Kind = RunKind.Data,
                GuestOffset = guestOffset,
                Length = length,
                HostOffset = entry.HostOffset + offsetInCluster,
                HostLength = length,
            }
            : HostRun.Unallocated(guestOffset, length);
    }

    private HostRun CompressedRun(Qcow1L2Entry entry, long guestOffset, int offsetInCluster, long maxLength, long entryOffset)
    {
        CompressedDescriptor descriptor = entry.Compressed(_header.ClusterBits);
        long fileLength = _image.FileLengthFor(descriptor.HostOffset + descriptor.HostLength);
        if (descriptor.HostOffset >= fileLength)
        {
            _image.Damaged(
                Bad($"compressed cluster offset 0x{descriptor.HostOffset:x} lies past the end of the file of {fileLength} bytes", guestOffset, entryOffset),
                _header.ClusterSize);
        }

        return new HostRun
        {
            Kind = RunKind.Compressed,
            GuestOffset = guestOffset,
            Length = Math.Min(maxLength, _header.ClusterSize - offsetInCluster),
            HostOffset = descriptor.HostOffset,
            HostLength = Math.Clamp(fileLength - descriptor.HostOffset, 0, descriptor.HostLength),
            OffsetInCluster = offsetInCluster,
        };
    }

    /// <summary>How many of <paramref name="clusters"/> start before the file ends; never 0.</summary>
    private long InsideFile(long hostOffset, long clusters, long guestOffset, long entryOffset)
    {
        long length = clusters << _header.ClusterBits;
        long fileLength = _image.FileLengthFor(hostOffset + length);
        if (hostOffset >= fileLength)
        {
            _image.Damaged(
                Bad($"cluster offset 0x{hostOffset:x} lies past the end of the file of {fileLength} bytes", guestOffset, entryOffset), length);
            return clusters;
        }

        return Math.Min(clusters, ClustersIn(fileLength - hostOffset));
    }

    private long ClustersIn(long length) => (length + _header.ClusterSize - 1) >> _header.ClusterBits;

    /// <summary>An L2 table may start at any byte, but lies inside the file.</summary>
    private void CheckL2Table(ulong l2Offset, long l1Index)
    {
        long bytes = (long)_header.L2Entries * sizeof(ulong);
        bool isOffset = l2Offset <= (ulong)(long.MaxValue - bytes);
        long fileLength = _image.FileLengthFor(isOffset ? (long)l2Offset + bytes : long.MaxValue);
        if (isOffset && (long)l2Offset + bytes <= fileLength)
        {
            return;
        }

        Qcow2FormatException error = new(
            $"L1 entry {l1Index}: L2 table offset 0x{l2Offset:x} does not lie inside the file of {fileLength} bytes",
            _image.File.Path,
            l1Index << _header.L1Shift,
            _header.L1TableOffset + (l1Index * L1Entry.Length));
        if (!isOffset)
        {
            throw error;
        }

        _image.Damaged(error, L2Coverage);
    }

    private Qcow2FormatException Bad(string problem, long guestOffset, long entryOffset) =>
        new($"L2 entry: {problem}", _image.File.Path, guestOffset, entryOffset);
}
