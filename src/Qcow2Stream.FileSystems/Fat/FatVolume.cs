using System.Buffers.Binary;
using System.Text;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Fat;

/// <summary>
/// A FAT12, FAT16 or FAT32 file system: its boot sector and its file allocation table ("Microsoft FAT Specification"; where systems differ, as Linux
/// reads it).
/// </summary>
/// <remarks>DiscUtils has a reader of these too. It takes every sector for 512 bytes, so that it never ends on disks that have larger ones.</remarks>
internal sealed class FatVolume
{
    public const uint FirstCluster = 2;

    private const int BootLength = 512;
    private const int MinSectorSize = 512;
    private const int MaxSectorSize = 4096;
    private const int EntryLength = 32;
    private const int LabelLength = 11;

    // By the number of clusters a FAT has 12 bits for each, or 16; FAT32 says so.
    private const uint MaxFat12Clusters = 4084;

    private const int PageLength = 4096;
    private const int MaxPages = 64;

    private readonly FileSystemSource _volume;
    private readonly byte[] _boot = new byte[BootLength];
    private readonly int _bits;
    private readonly long _fatStart;
    private readonly long _fatLength;
    private readonly long _dataStart;
    private readonly Dictionary<long, byte[]> _pages = [];

    public FatVolume(FileSystemSource volume)
    {
        _volume = volume;
        volume.ReadExactly(0, _boot);
        int sectorSize = Short(11);
        int sectorsPerCluster = _boot[13];
        if (!int.IsPow2(sectorSize) || sectorSize is < MinSectorSize or > MaxSectorSize || !int.IsPow2(sectorsPerCluster))
        {
            throw new GuestException($"its boot sector is damaged: sectors of {sectorSize} bytes, clusters of {sectorsPerCluster} sectors");
        }

        bool isFat32 = Short(22) == 0;
        _fatStart = (long)Short(14) * sectorSize;
        _fatLength = (isFat32 ? Long(36) : Short(22)) * (long)sectorSize;
        RootStart = _fatStart + (_fatLength * _boot[16]);
        RootLength = Short(17) * EntryLength;
        _dataStart = RootStart + ((RootLength + sectorSize - 1) / sectorSize * sectorSize);
        long end = (Short(19) != 0 ? Short(19) : Long(32)) * (long)sectorSize;
        ClusterSize = sectorSize * sectorsPerCluster;
        long clusters = (end - _dataStart) / ClusterSize;
        _bits = isFat32 ? 32 : clusters <= MaxFat12Clusters ? 12 : 16;
        ClusterCount = (uint)Math.Clamp(clusters, 0, (_fatLength * 8 / _bits) - FirstCluster);
        RootCluster = isFat32 ? Long(44) : 0;
        if (_fatStart == 0 || _fatLength == 0 || _boot[16] == 0 || ClusterCount == 0 || _fatStart + _fatLength > volume.Length)
        {
            throw new GuestException("its boot sector is damaged: there is no room for its clusters, or for the table of them");
        }
    }

    public GuestOptions Options => _volume.Options;

    public string Kind => $"FAT{_bits}";

    /// <summary>The size of a cluster in bytes.</summary>
    public int ClusterSize { get; }

    /// <summary>How many clusters there are; the first has number 2.</summary>
    public uint ClusterCount { get; }

    /// <summary>Where the root directory starts; 0 for that of FAT12 and FAT16, which isn't in a cluster.</summary>
    public uint RootCluster { get; }

    /// <summary>Where the root directory of FAT12 and FAT16 is on the volume, in bytes.</summary>
    public long RootStart { get; }

    /// <summary>The length of the root directory of FAT12 and FAT16 in bytes.</summary>
    public int RootLength { get; }

    /// <summary>The label in the boot sector, which the root directory's goes before.</summary>
    public string Label => Encoding.ASCII.GetString(_boot, _bits == 32 ? 71 : 43, LabelLength).TrimEnd();

    /// <summary>Counts the clusters that are free: the whole table is read.</summary>
    public uint CountFree()
    {
        uint free = 0;
        for (uint cluster = FirstCluster; cluster < FirstCluster + ClusterCount; cluster++)
        {
            free += Entry(cluster) == 0 ? 1u : 0;
        }

        return free;
    }

    /// <summary>The cluster that follows another in its chain; null at the end.</summary>
    /// <exception cref="GuestException">The chain is damaged.</exception>
    public uint? Next(uint cluster)
    {
        uint next = Entry(cluster);
        uint end = _bits switch
        {
            12 => 0xFF8,
            16 => 0xFFF8,
            _ => 0x0FFFFFF8,
        };
        return next >= end ? null : IsCluster(next) ? next : throw new GuestException(
            $"its chain of clusters leads from {cluster} to {next}, which is no cluster");
    }

    public bool IsCluster(uint number) => number >= FirstCluster && number - FirstCluster < ClusterCount;

    /// <summary>Reads bytes of clusters that follow one another on the volume.</summary>
    public void ReadClusters(uint first, long skipped, Span<byte> buffer) =>
        ReadAt(_dataStart + ((first - FirstCluster) * (long)ClusterSize) + skipped, buffer);

    public void ReadAt(long offset, Span<byte> buffer) => _volume.ReadExactly(offset, buffer);

    private uint Entry(uint cluster)
    {
        if (_bits == 12)
        {
            long at = cluster + (cluster / 2);
            int pair = Byte(at) | (Byte(at + 1) << 8);
            return (uint)(cluster % 2 == 0 ? pair & 0xFFF : pair >> 4);
        }

        long offset = cluster * (long)(_bits / 8);
        ReadOnlySpan<byte> entry = Page(offset / PageLength).AsSpan((int)(offset % PageLength));

        // The first four bits are reserved.
        return _bits == 16 ? BinaryPrimitives.ReadUInt16LittleEndian(entry) : BinaryPrimitives.ReadUInt32LittleEndian(entry) & 0x0FFFFFFF;
    }

    private byte Byte(long offset) => Page(offset / PageLength)[(int)(offset % PageLength)];

    private byte[] Page(long number)
    {
        if (_pages.TryGetValue(number, out byte[]? page))
        {
            return page;
        }

        if (_pages.Count >= MaxPages)
        {
            _pages.Clear();
        }

        page = new byte[PageLength];
        ReadAt(_fatStart + (number * PageLength), page.AsSpan(0, (int)Math.Min(PageLength, _fatLength - (number * PageLength))));
        return _pages[number] = page;
    }

    private int Short(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_boot.AsSpan(offset));

    private uint Long(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_boot.AsSpan(offset));
}
