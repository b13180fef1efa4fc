using System.Buffers.Binary;
using DiscUtils;
using DiscUtils.Partitions;
using Qcow2Stream.FileSystems.Partitions;
using Partition = Qcow2Stream.FileSystems.Partitions.Partition;

namespace Qcow2Stream.FileSystems.Tests.Partitions;

/// <summary>Tables that DiscUtils makes, changed at random, read as DiscUtils reads them; and some that end its reading.</summary>
public sealed class PartitionTableTests
{
    private const int Sector = 512;
    private const int MbrTable = 0x1BE;

    [Fact]
    public void Mbr_IsReadAsDiscUtilsDoes()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            Random random = new(seed);
            byte[] disk = new byte[64 * Sector];
            Sign(disk, 0);
            for (int i = 0; i < 4; i++)
            {
                // The first chain is at sector 8, and goes on at 8 more from there, at most three times.
                WriteEntry(disk, 0, i, random, i == 3 && random.Next(2) == 0 ? (byte)0x0F : RandomType(random), start: i == 3 ? 8u : (uint)random.Next(64));
            }

            for (int record = 8; record <= 32; record += 8)
            {
                Sign(disk, record);
                WriteEntry(disk, record, 0, random, RandomType(random), (uint)random.Next(8));
                if (record < 32 && random.Next(4) > 0)
                {
                    WriteEntry(disk, record, 1, random, 0x05, (uint)record);
                }
            }

            List<Partition> expected = [];
            int logical = 5;
            foreach (BiosPartitionInfo partition in new BiosPartitionTable(new MemoryStream(disk), Geometry.FromCapacity(disk.Length)).BiosUserPartitions)
            {
                expected.Add(Partition.Of(
                    partition.IsPrimary ? partition.PrimaryIndex + 1 : logical++, partition.TypeAsString, partition.FirstSector, partition.FirstSector + (partition.SectorCount - 1), Sector));
            }

            MasterBootRecord? boot = MasterBootRecord.Read(BlockSource.FromStream(new MemoryStream(disk)));
            Assert.Equal(expected, boot!.ReadPartitions(Sector));
        }
    }

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
        GuestException e = Assert.Throws<GuestException>(() => PartitionTables.Read(Source(badEntries)));
        Assert.Equal("the partition table (GPT) can't be read: No valid GUID Partition Table found", e.Message);
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

    /// <summary>An extended partition whose second record leads back to itself.</summary>
    [Fact]
    public void ChainOfRecordsThatLoops_Ends()
    {
        byte[] disk = new byte[64 * Sector];
        Sign(disk, 0);
        WriteEntry(disk, 0, 0, type: 0x05, start: 8, sectors: 50);
        Sign(disk, 8);
        WriteEntry(disk, 8, 0, type: 0x83, start: 1, sectors: 1);
        WriteEntry(disk, 8, 1, type: 0x05, start: 4, sectors: 10);
        Sign(disk, 12);
        WriteEntry(disk, 12, 0, type: 0x83, start: 1, sectors: 1);
        WriteEntry(disk, 12, 1, type: 0x05, start: 4, sectors: 10);
        DiskLayout layout = PartitionTables.Read(Source(disk));
        Assert.Equal(DiskLayout.MaxPartitions, layout.Partitions.Count);
        Assert.Equal([5, 6, 7], layout.Partitions.Take(3).Select(p => p.Number));
    }

    [Theory]
    [InlineData(8u, "the partition table (MBR) can't be read: Invalid extended partition sector")]
    [InlineData(9000u, "the partition table (MBR) can't be read: 512 bytes at 4608000 reach past the end, which is at 32768")]
    public void ExtendedPartitionThatIsNone_IsAnError(uint start, string message)
    {
        byte[] disk = new byte[64 * Sector];
        Sign(disk, 0);
        WriteEntry(disk, 0, 0, type: 0x05, start, sectors: 50);
        Assert.Equal(message, Assert.Throws<GuestException>(() => PartitionTables.Read(Source(disk))).Message);
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
        Assert.Equal(
            "the partition table (GPT) can't be read: No valid GUID Partition Table found",
            Assert.Throws<GuestException>(() => PartitionTables.Read(Source(disk))).Message);
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

    private static byte RandomType(Random random) => random.Next(6) switch { 0 => 0, 1 => 7, 2 => 0x82, 3 => 0x99, _ => 0x83 };

    private static void Sign(byte[] disk, int sector) => (disk[(sector * Sector) + 510], disk[(sector * Sector) + 511]) = (0x55, 0xAA);

    /// <summary>An entry with any of its parts, or none.</summary>
    private static void WriteEntry(byte[] disk, int sector, int index, Random random, byte type, uint start)
    {
        WriteEntry(disk, sector, index, type, start, sectors: type is 0x05 or 0x0F || random.Next(3) > 0 ? (uint)random.Next(1, 20) : 0);
        Span<byte> entry = disk.AsSpan((sector * Sector) + MbrTable + (index * 16), 16);
        entry[random.Next(1, 4)] = (byte)random.Next(2);
    }

    private static void WriteEntry(byte[] disk, int sector, int index, byte type, uint start, uint sectors)
    {
        Span<byte> entry = disk.AsSpan((sector * Sector) + MbrTable + (index * 16), 16);
        entry[4] = type;
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], start);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], sectors);
    }
}
