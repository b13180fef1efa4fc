using System.Buffers.Binary;
using DiscUtils;
using DiscUtils.Partitions;

namespace Qcow2Stream.Cli.Guest;

/// <summary>Finds the partition table of a disk, GPT or MBR, and lists its partitions.</summary>
internal static class PartitionTables
{
    private const byte GptProtective = 0xEE;
    private const int FirstLogicalNumber = 5;

    // A chain of logical partitions has no length of its own, and may loop; Linux stops at 256 too.
    private const int MaxPartitions = 256;

    // Where a GPT header says how many entries its array has, and of what size; the array is read at once.
    private const int EntryCountOffset = 80;
    private const int EntrySizeOffset = 84;
    private const int MaxEntryArray = 1 << 20;

    private static readonly Dictionary<Guid, string> TypesUnknownToDiscUtils = new()
    {
        [new Guid("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709")] = "Linux Root (x86-64)",
        [new Guid("B921B045-1DF0-41C3-AF44-4C6F280D3FAE")] = "Linux Root (ARM-64)",
        [new Guid("8484680C-9521-48C6-9C11-B0720656F69E")] = "Linux /usr (x86-64)",
        [new Guid("933AC7E1-2EB4-4F13-B844-0E14E2AEF915")] = "Linux /home",
        [new Guid("BC13C2FF-59E6-4262-A352-B275FD6F7172")] = "Linux Extended Boot",
        [new Guid("48465300-0000-11AA-AA11-00306543ECAC")] = "Apple HFS+",
        [new Guid("7C3457EF-0000-11AA-AA11-00306543ECAC")] = "Apple APFS",
    };

    /// <summary>Returns no table for a disk that has none, or one without partitions.</summary>
    /// <exception cref="GuestException">The table can't be read.</exception>
    public static (string? Table, IReadOnlyList<Partition> Partitions) Read(Stream disk)
    {
        byte[] first = ReadAt(disk, 0);
        if (first is not [.., 0x55, 0xAA])
        {
            return default;
        }

        foreach (int sectorSize in (ReadOnlySpan<int>)[512, 4096])
        {
            byte[] primary = ReadAt(disk, sectorSize);
            byte[] backup = ReadAt(disk, (disk.Length / sectorSize * sectorSize) - sectorSize);
            bool hasBackup = IsGptHeader(backup) && Enumerable.Range(0, 4).Any(i => first[0x1C2 + (i * 16)] == GptProtective);
            if (IsGptHeader(primary) || hasBackup)
            {
                return ("GPT", Named("GPT", () => ReadGpt(disk, sectorSize, IsGptHeader(primary) ? primary : backup)));
            }
        }

        // The boot sector of a file system has the signature of a partition table, and its code may pass for entries.
        if (ContentKind.Of(disk).Name is "FAT" or "NTFS" or "exFAT")
        {
            return default;
        }

        IReadOnlyList<Partition> partitions = Named("MBR", () => ReadMbr(disk));
        return partitions.Count > 0 ? ("MBR", partitions) : default;
    }

    private static IReadOnlyList<Partition> Named(string table, Func<IReadOnlyList<Partition>> read)
    {
        try
        {
            return GuestReader.Call(read);
        }
        catch (GuestException e)
        {
            throw new GuestException($"the partition table ({table}) can't be read: {e.Message}", e);
        }
    }

    private static bool IsGptHeader(ReadOnlySpan<byte> sector) => sector.StartsWith("EFI PART"u8);

    private static IReadOnlyList<Partition> ReadGpt(Stream disk, int sectorSize, ReadOnlySpan<byte> header)
    {
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(header[EntryCountOffset..]);
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(header[EntrySizeOffset..]);
        if ((ulong)count * size > MaxEntryArray)
        {
            throw new GuestException($"it says that it has {count} entries of {size} bytes");
        }

        GuidPartitionTable table = new(disk, new Geometry(disk.Length, headsPerCylinder: 255, sectorsPerTrack: 63, sectorSize));
        return [.. table.Partitions.Take(MaxPartitions).Select((partition, index) => Partition.Of(
            index + 1, Describe((GuidPartitionInfo)partition), partition.FirstSector, partition.LastSector, sectorSize))];
    }

    private static string Describe(GuidPartitionInfo partition)
    {
        string type = TypesUnknownToDiscUtils.GetValueOrDefault(partition.GuidType, partition.TypeAsString);
        return string.IsNullOrEmpty(partition.Name) ? type : $"{type} \"{partition.Name}\"";
    }

    private static List<Partition> ReadMbr(Stream disk)
    {
        BiosPartitionTable table = new(disk, Geometry.FromCapacity(disk.Length));
        int logical = FirstLogicalNumber;
        List<Partition> partitions = [];
        foreach (BiosPartitionInfo partition in table.BiosUserPartitions.Take(MaxPartitions))
        {
            int number = partition.IsPrimary ? partition.PrimaryIndex + 1 : logical++;
            partitions.Add(Partition.Of(number, partition.TypeAsString, partition.FirstSector, partition.LastSector, 512));
        }

        return partitions;
    }

    private static byte[] ReadAt(Stream disk, long position)
    {
        byte[] sector = new byte[512];
        if (position >= 0 && position <= disk.Length - sector.Length)
        {
            disk.Position = position;
            disk.ReadExactly(sector);
        }

        return sector;
    }
}
