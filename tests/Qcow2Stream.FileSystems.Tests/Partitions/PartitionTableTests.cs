using System.Buffers.Binary;
using DiscUtils;
using DiscUtils.Partitions;
using Qcow2Stream.FileSystems.Partitions;

namespace Qcow2Stream.FileSystems.Tests.Partitions;

/// <summary>GPTs that DiscUtils makes, whole and damaged.</summary>
public sealed class PartitionTableTests
{
    private const int Sector = 512;
    private const int MbrTable = 0x1BE;
    private const string NoHeader = "the boot record says that there is a GPT, but neither its header nor the backup in the last sector is valid";

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void Gpt_IsReadAsDiscUtilsDoes(int sectorSize)
    {
        using MemoryStream disk = new(new byte[8 << 20]);
        Geometry geometry = new(disk.Length, headsPerCylinder: 4, sectorsPerTrack: 4, sectorSize);
        GuidPartitionTable made = GuidPartitionTable.Initialize(disk, geometry);
        Guid[] types = [GuidTypeOf("EBD0A0A2"), GuidTypeOf("C12A7328"), GuidTypeOf("0FC63DAF"), Guid.Parse("12345678-1234-1234-1234-123456789abc")];
        for (int i = 0; i < types.Length; i++)
        {
            made.Create(100 + (i * 50), 120 + (i * 50), types[i], attributes: 0, $"name {i}");
        }

        DiskLayout expected = new(
            PartitionTableKind.Gpt,
            sectorSize,
            [.. new GuidPartitionTable(disk, geometry).Partitions.Cast<GuidPartitionInfo>().Select((partition, index) => Partition.Of(
                index + 1, $"{partition.TypeAsString} \"{partition.Name}\"", partition.FirstSector, partition.LastSector, sectorSize))]);
        byte[] bytes = disk.ToArray();
        AssertSame(expected, bytes);

        // Without the first header, and without its entries, the backup says the same.
        byte[] noHeader = (byte[])bytes.Clone();
        noHeader.AsSpan(sectorSize, sectorSize).Clear();
        AssertSame(expected, noHeader);
        foreach (int field in (int[])[80, 84])
        {
            byte[] badSize = (byte[])bytes.Clone();
            badSize.AsSpan(sectorSize + field, sizeof(uint)).Fill(0xFF);
            AssertSame(expected, badSize);
            SignHeader(badSize.AsSpan(sectorSize));
            AssertSame(expected, badSize);
        }

        byte[] badEntries = (byte[])bytes.Clone();
        badEntries[(sectorSize * 2) + 8] ^= 1;
        AssertSame(expected, badEntries);

        badEntries[^(sectorSize - 16)] ^= 1;
        Assert.Equal((PartitionTableKind.None, NoHeader), (PartitionTables.Read(Source(badEntries)).Kind, PartitionTables.Read(Source(badEntries)).Fault?.Message));
    }

    [Fact]
    public void NamesOfTypes_AreDiscUtilsOwn()
    {
        using MemoryStream disk = new(new byte[8 << 20]);
        GuidPartitionTable table = GuidPartitionTable.Initialize(disk, new Geometry(disk.Length, headsPerCylinder: 4, sectorsPerTrack: 4, Sector));
        string[] types =
        [
            "21686148-6449-6E6F-744E-656564454649", "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "E6D6D379-F507-44C2-A23C-238F2A3DF928",
            "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", "516E7CBA-6ECF-11D6-8FF8-00022D09712B", "AA31E02A-400F-11DB-9590-000C2911D1B8",
        ];
        foreach (string type in types)
        {
            table.Create(100, 120, Guid.Parse(type), 0, "");
        }

        Assert.Equal(table.Partitions.Select(partition => partition.TypeAsString), types.Select(type => GuidTypes.NameOf(Guid.Parse(type))));
    }

    [Theory]
    [InlineData(200_000u, 128u)]
    [InlineData(128u, 16u)]
    [InlineData(0xFFFFFFFF, 0xFFFFFFFF)]
    public void GptOfAbsurdSize_IsDamagedBeforeItIsRead(uint count, uint size)
    {
        byte[] disk = new byte[64 * Sector];
        Sign(disk, 0);
        WriteEntry(disk, 0, 0, type: 0xEE, start: 1, sectors: 63);
        "EFI PART"u8.CopyTo(disk.AsSpan(Sector));
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(Sector + 80), count);
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(Sector + 84), size);
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(Sector + 12), 92);
        SignHeader(disk.AsSpan(Sector));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(NoHeader, PartitionTables.Read(Source(disk)).Fault?.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    /// <summary>Gives a header of a GPT the checksum of what it says.</summary>
    private static void SignHeader(Span<byte> header)
    {
        Span<byte> checksum = header.Slice(16, sizeof(uint));
        checksum.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(checksum, Crc32.Of(header[..92]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(4096)]
    public void DiskWithoutATable_IsNotDivided(int length)
    {
        Assert.Equal(PartitionTableKind.None, PartitionTables.Read(Source(new byte[length])).Kind);
        using Guest guest = Guest.Open(new MemoryStream(new byte[length]));
        Assert.Equal((0L, (long)length, "empty"), (guest.Volumes.Single().Start, guest.Volumes[0].Length, guest.Volumes[0].Content));
    }

    /// <summary>Linux numbers a partition by its entry: /dev/sda3 stays that when the second is gone, and Ubuntu's are 1, 14, 15 and 16.</summary>
    [Fact]
    public void PartitionOfAGpt_HasTheNumberOfItsEntry()
    {
        using MemoryStream disk = new(new byte[8 << 20]);
        GuidPartitionTable made = GuidPartitionTable.Initialize(disk, new Geometry(disk.Length, headsPerCylinder: 4, sectorsPerTrack: 4, Sector));
        for (int i = 0; i < 3; i++)
        {
            made.Create(100 + (i * 50), 120 + (i * 50), GuidTypeOf("0FC63DAF"), attributes: 0, $"name {i}");
        }

        made.Delete(1);
        Assert.Equal(
            [(1, 100L * Sector), (3, 200L * Sector)],
            PartitionTables.Read(Source(disk.ToArray())).Partitions.Select(partition => (partition.Number, partition.Start)));
    }

    private static void AssertSame(DiskLayout expected, byte[] disk)
    {
        DiskLayout actual = PartitionTables.Read(Source(disk));
        Assert.Equal((expected.Kind, expected.SectorSize), (actual.Kind, actual.SectorSize));
        Assert.Equal(expected.Partitions, actual.Partitions);
        using Guest guest = Guest.Open(new MemoryStream(disk));
        Assert.All(guest.Volumes, volume => Assert.Equal(expected.SectorSize, volume.Source.SectorSize));
    }

    private static IBlockSource Source(byte[] disk) => BlockSource.FromStream(new MemoryStream(disk));

    private static Guid GuidTypeOf(string start) => start switch
    {
        "EBD0A0A2" => Guid.Parse("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"),
        "C12A7328" => Guid.Parse("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
        _ => Guid.Parse("0FC63DAF-8483-4772-8E79-3D69D8477DE4"),
    };

    private static void Sign(byte[] disk, int sector) => (disk[(sector * Sector) + 510], disk[(sector * Sector) + 511]) = (0x55, 0xAA);

    private static void WriteEntry(byte[] disk, int sector, int index, byte type, uint start, uint sectors)
    {
        Span<byte> entry = disk.AsSpan((sector * Sector) + MbrTable + (index * 16), 16);
        entry[4] = type;
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], start);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], sectors);
    }
}
