using System.Diagnostics;
using Qcow2Stream.Format;
using Qcow2Stream.Images;

namespace Qcow2Stream.Translation;

/// <summary>
/// Turns the L2 entry of a guest offset into a run, and sees how far the same answer holds in the piece of table at
/// hand (sections "L2 table entry" and "Extended L2 Entries").
/// </summary>
internal sealed class L2Scanner(Qcow2Image image)
{
    private readonly Geometry _geometry = image.Geometry;
    private readonly bool _hasZeroFlag = image.Header.Version >= 3 && !image.Header.HasExtendedL2;

    // With a data file COPIED says whether offset 0 is an offset; without one it means nothing to a reader.
    private readonly ulong _meaningMask = L2Entry.MeaningMask | (image.HasDataFile ? L2Entry.CopiedFlag : 0);

    /// <summary>Answers for <paramref name="guestOffset"/>.</summary>
    /// <param name="words">The piece of the table from that offset's entry on.</param>
    /// <param name="entryOffset">Where that entry is in the file.</param>
    /// <param name="guestOffset">In bytes.</param>
    /// <param name="maxLength">The most bytes to answer for; at least 1.</param>
    public HostRun Scan(ReadOnlySpan<ulong> words, long entryOffset, long guestOffset, long maxLength)
    {
        Place place = new(guestOffset, _geometry.OffsetInCluster(guestOffset), entryOffset);
        L2Entry entry = new(words[0]);
        if (entry.IsCompressed)
        {
            return CompressedRun(entry, place, maxLength);
        }

        long clusterStart = guestOffset - place.OffsetInCluster;
        bool hasCluster = CheckCluster(entry, clusterStart, place);
        (RunKind kind, long length) = _geometry.HasExtendedL2
            ? ScanExtended(words, hasCluster, place, maxLength)
            : ScanStandard(words, hasCluster, place, maxLength);
        bool isPastEnd = false;
        if (kind == RunKind.Data)
        {
            length = InsideFile(entry.HostOffset, place.OffsetInCluster + length, place, out isPastEnd) - place.OffsetInCluster;
        }

        length = Math.Min(length, maxLength);
        return new HostRun
        {
            Kind = kind,
            GuestOffset = guestOffset,
            Length = length,
            HostOffset = hasCluster ? entry.HostOffset + place.OffsetInCluster : HostRun.Nowhere,
            HostLength = hasCluster ? length : 0,
            IsPastEnd = isPastEnd,
        };
    }

    private (RunKind Kind, long Length) ScanStandard(ReadOnlySpan<ulong> words, bool hasCluster, in Place place, long maxLength)
    {
        L2Entry entry = new(words[0]);
        bool isZero = entry.IsZero;
        if (isZero && !_hasZeroFlag)
        {
            throw Bad("the zero flag is set, which version 2 does not have", place);
        }

        int most = (int)Math.Min(words.Length, _geometry.ClustersTouched(place.OffsetInCluster, maxLength));
        ulong step = hasCluster ? (ulong)_geometry.ClusterSize : 0;
        long clusters = EntryScan.CountRun(words[..most], _meaningMask, entry.Value & _meaningMask, step);
        RunKind kind = isZero ? RunKind.Zero : hasCluster ? RunKind.Data : RunKind.Unallocated;
        return (kind, (clusters << _geometry.ClusterBits) - place.OffsetInCluster);
    }

    private (RunKind Kind, long Length) ScanExtended(ReadOnlySpan<ulong> words, bool hasCluster, in Place place, long maxLength)
    {
        SubclusterBitmap bitmap = new(words[1]);
        if (bitmap.IsContradictory)
        {
            throw Bad($"the subcluster bitmap 0x{bitmap.Value:x16} calls subclusters both allocated and zero", place);
        }

        if (!hasCluster && bitmap.Allocated != 0)
        {
            throw Bad($"the subcluster bitmap 0x{bitmap.Value:x16} calls subclusters allocated, but there is no cluster", place);
        }

        int first = place.OffsetInCluster >> _geometry.SubclusterBits;
        uint bit = 1u << first;
        RunKind kind = (bitmap.Allocated & bit) != 0 ? RunKind.Data : (bitmap.Zero & bit) != 0 ? RunKind.Zero : RunKind.Unallocated;
        int run = SubclusterBitmap.CountRun(Mask(bitmap, kind), first);
        long length = ((long)(first + run) << _geometry.SubclusterBits) - place.OffsetInCluster;
        ulong expected = words[0] & _meaningMask;
        for (int word = 2; first + run == Geometry.Subclusters && length < maxLength && word < words.Length; word += 2)
        {
            expected += hasCluster ? (ulong)_geometry.ClusterSize : 0;
            bitmap = new SubclusterBitmap(words[word + 1]);
            if ((words[word] & _meaningMask) != expected || bitmap.IsContradictory || (!hasCluster && bitmap.Allocated != 0))
            {
                break;
            }

            first = 0;
            run = SubclusterBitmap.CountRun(Mask(bitmap, kind), first);
            length += (long)run << _geometry.SubclusterBits;
        }

        return (kind, length);
    }

    private static uint Mask(SubclusterBitmap bitmap, RunKind kind) => kind switch
    {
        RunKind.Data => bitmap.Allocated,
        RunKind.Zero => bitmap.Zero,
        _ => bitmap.Unallocated,
    };

    private HostRun CompressedRun(L2Entry entry, in Place place, long maxLength)
    {
        if (image.HasDataFile)
        {
            throw Bad("a compressed cluster, which an image with an external data file can't have", place);
        }

        CompressedDescriptor descriptor = CompressedDescriptor.Parse(entry, _geometry);
        long fileLength = image.FileLengthFor(descriptor.HostOffset + descriptor.HostLength);
        if (descriptor.HostOffset >= fileLength)
        {
            image.Damaged(
                Bad($"compressed cluster offset 0x{descriptor.HostOffset:x} lies past the end of the file of {fileLength} bytes", place),
                _geometry.ClusterSize);
        }

        return new HostRun
        {
            Kind = RunKind.Compressed,
            GuestOffset = place.GuestOffset,
            Length = Math.Min(maxLength, _geometry.ClusterSize - place.OffsetInCluster),
            HostOffset = descriptor.HostOffset,

            // Whole sectors are counted, and not every writer fills the last one.
            HostLength = Math.Clamp(fileLength - descriptor.HostOffset, 0, descriptor.HostLength),
            OffsetInCluster = place.OffsetInCluster,
        };
    }

    /// <summary>Checks where an entry points to; false if it points to no cluster.</summary>
    private bool CheckCluster(L2Entry entry, long clusterStart, in Place place)
    {
        // 0 is an offset in a data file, of data: a zero cluster there has none.
        bool canBeAtZero = image.HasDataFile && entry.IsCopied && !(_hasZeroFlag && entry.IsZero);
        if (entry.HostOffset == 0 && !canBeAtZero)
        {
            return false;
        }

        if (!_geometry.IsClusterAligned(entry.HostOffset))
        {
            throw Bad($"cluster offset 0x{entry.HostOffset:x} is not cluster-aligned", place);
        }

        return !image.HasDataFile || entry.HostOffset == clusterStart
            ? true
            : throw Bad(
                $"cluster offset 0x{entry.HostOffset:x} in the external data file is not the guest's offset 0x{clusterStart:x}", place);
    }

    /// <summary>How many of <paramref name="length"/> bytes are in clusters that start before the file ends; never 0.</summary>
    private long InsideFile(long hostOffset, long length, in Place place, out bool isPastEnd)
    {
        Debug.Assert(length > 0, "there is something to look for");
        long fileLength = image.ClusterFileLengthFor(hostOffset + length);
        isPastEnd = hostOffset >= fileLength;
        if (isPastEnd)
        {
            image.Damaged(
                Bad($"cluster offset 0x{hostOffset:x} lies past the end of {(image.HasDataFile ? "the data file" : "the file")} of {fileLength} bytes", place),
                length);
            return length;
        }

        return Math.Min(length, _geometry.ClustersTouched(0, fileLength - hostOffset) << _geometry.ClusterBits);
    }

    private Qcow2FormatException Bad(string problem, in Place place) =>
        new($"L2 entry: {problem}", image.File.Path, place.GuestOffset, place.EntryOffset);

    private readonly record struct Place(long GuestOffset, int OffsetInCluster, long EntryOffset);
}
