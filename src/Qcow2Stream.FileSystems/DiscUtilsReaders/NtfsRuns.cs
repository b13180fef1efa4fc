using System.Buffers.Binary;
using DiscUtils.Ntfs;
using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>
/// Which parts of an NTFS file are stored, by the runs of clusters in its record of the master file table: DiscUtils' reader fails when it is asked.
/// </summary>
internal static class NtfsRuns
{
    private const int BootLength = 512;
    private const int SectorLength = 512;
    private const int MaxRecordLength = 1 << 16;
    private const int MinRecordLength = 256;
    private const long RecordNumberBits = (1L << 48) - 1;

    private const uint AttributeList = 0x20;
    private const uint Data = 0x80;
    private const uint End = 0xFFFFFFFF;
    private const int NonResidentHeader = 64;

    /// <summary>Returns null if that isn't known: the runs are spread over several records, or the content is in the record itself.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="files">Its file system.</param>
    /// <param name="path">The file.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <exception cref="GuestException">The runs end before the file does.</exception>
    public static IReadOnlyList<StreamExtent>? Find(IBlockSource volume, NtfsFileSystem files, string path, long length)
    {
        byte[] boot = new byte[BootLength];
        volume.ReadExactly(0, boot);
        int sectorsPerCluster = boot[13] <= 0x80 ? boot[13] : 1 << -(sbyte)boot[13];
        int clusterLength = BinaryPrimitives.ReadUInt16LittleEndian(boot.AsSpan(11)) * sectorsPerCluster;
        sbyte recordClusters = (sbyte)boot[64];
        int recordLength = recordClusters > 0 ? recordClusters * clusterLength : 1 << Math.Min(-recordClusters, 30);
        if (clusterLength <= 0 || recordLength is < MinRecordLength or > MaxRecordLength)
        {
            return null;
        }

        byte[] record = new byte[recordLength];
        using (Stream table = files.OpenFile(@"\$MFT", FileMode.Open, FileAccess.Read))
        {
            table.Position = (files.GetFileId(path) & RecordNumberBits) * recordLength;
            table.ReadExactly(record);
        }

        return Repair(record) && FindData(record) is { } data ? Stored(data, clusterLength, length) : null;
    }

    /// <summary>The last bytes of each sector are kept elsewhere, to see whether all of the record was written.</summary>
    private static bool Repair(byte[] record)
    {
        int array = Short(record, 4);
        int count = Short(record, 6);
        if (!record.AsSpan().StartsWith("FILE"u8) || (count - 1) * SectorLength > record.Length || array + (count * 2) > record.Length)
        {
            return false;
        }

        for (int sector = 1; sector < count; sector++)
        {
            record.AsSpan(array + (sector * 2), 2).CopyTo(record.AsSpan((sector * SectorLength) - 2));
        }

        return true;
    }

    /// <summary>The attribute that is the file's content, if all of that is in clusters and all runs are here.</summary>
    private static byte[]? FindData(byte[] record)
    {
        byte[]? data = null;
        for (int at = Short(record, 20); at + 16 <= record.Length && Long(record, at) is var type && type != End;)
        {
            long length = Long(record, at + 4);
            if (type == AttributeList || length < 16 || length > record.Length - at)
            {
                return null;
            }

            bool isNamed = record[at + 9] != 0;
            bool isResident = record[at + 8] == 0;
            if (type == Data && !isNamed)
            {
                data = isResident || length < NonResidentHeader ? null : record[at..(at + (int)length)];
            }

            at += (int)length;
        }

        return data;
    }

    /// <summary>A run is a number of clusters and where they are, counted from the run before; without the latter it is a hole.</summary>
    private static List<StreamExtent> Stored(byte[] data, int clusterLength, long length)
    {
        // Of a unit that is compressed, some clusters are not stored; what comes after what was written last is zeros.
        long unit = (long)clusterLength << Math.Min((int)Short(data, 34), 16);
        long written = Math.Min(length, BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(56)));
        List<StreamExtent> stored = [];
        long at = 0;
        long end = 0;
        for (int run = Short(data, 32); run < data.Length && data[run] != 0 && at < length;)
        {
            int lengthBytes = data[run] & 15;
            int placeBytes = data[run] >> 4;
            if (lengthBytes is 0 or > 7 || run + 1 + lengthBytes + placeBytes > data.Length)
            {
                break;
            }

            long clusters = 0;
            for (int i = lengthBytes; i > 0; i--)
            {
                clusters = (clusters << 8) | data[run + i];
            }

            long runEnd = clusters > (length - at) / clusterLength ? length : at + (clusters * clusterLength);
            if (placeBytes > 0)
            {
                long first = Math.Max(at / unit * unit, end);
                end = Math.Min(runEnd > long.MaxValue - unit ? runEnd : (runEnd + unit - 1) / unit * unit, written);
                if (first < end)
                {
                    stored.Add(new StreamExtent(first, end - first));
                }
            }

            at = runEnd;
            run += 1 + lengthBytes + placeBytes;
        }

        return at >= length ? stored : throw new GuestException($"its runs of clusters end after {at} of {length} bytes");
    }

    private static ushort Short(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset));

    private static uint Long(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));
}
