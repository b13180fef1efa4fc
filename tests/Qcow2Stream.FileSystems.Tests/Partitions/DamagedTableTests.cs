using Qcow2Stream.FileSystems.Partitions;

namespace Qcow2Stream.FileSystems.Tests.Partitions;

/// <summary>What is damaged of a partition table is told, and keeps nothing else from being read.</summary>
public sealed class DamagedTableTests
{
    private static readonly Dictionary<string, (MadeDisk Disk, int[] Numbers, string Fault)> Disks = new()
    {
        ["a chain that leads back to a record"] = (
            new MadeDisk(4000).Entry(0, 0, 0x05, 8, 100).Entry(8, 0, 0x83, 1, 3).Entry(8, 1, 0x05, 16, 8).Entry(24, 0, 0x83, 1, 3).Entry(24, 1, 0x05, 16, 8),
            [5, 6], "the partition table can't be read whole: the extended partition's boot records lead back to the one at sector 24"),
        ["two records that lead to each other"] = (
            new MadeDisk(4000).Entry(0, 0, 0x05, 8, 100).Entry(8, 1, 0x05, 16, 8).Entry(24, 0, 0x83, 1, 3).Entry(24, 1, 0x05, 32, 8).Entry(40, 1, 0x05, 16, 8),
            [5], "the partition table can't be read whole: the extended partition's boot records lead back to the one at sector 24"),
        ["a chain that ends in nothing"] = (
            new MadeDisk(4000).Entry(0, 1, 0x83, 4, 3).Entry(0, 0, 0x05, 8, 100).Entry(8, 0, 0x83, 1, 3).Entry(8, 1, 0x05, 16, 8),
            [2, 5], "the partition table can't be read whole: the extended partition has no boot record at sector 24"),
        ["an extended partition past the end"] = (
            new MadeDisk(4000).Entry(0, 1, 0x83, 4, 3).Entry(0, 0, 0x05, uint.MaxValue, uint.MaxValue),
            [2], "the partition table can't be read whole: the extended partition has no boot record at sector 4294967295"),
        ["an extended partition and nothing else"] = (
            new MadeDisk(4000).Entry(0, 0, 0x05, 8, 100),
            [0], "the partition table can't be read: the extended partition has no boot record at sector 8"),
        ["a boot record that promises a GPT"] = (
            new MadeDisk(4000).Entry(0, 0, 0xEE, 1, 3999),
            [0], "the partition table can't be read: the boot record says that there is a GPT, but neither its header nor the backup in the last sector is valid"),
    };

    public static TheoryData<string> Names => [.. Disks.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Damage_IsToldAndTheRestIsRead(string name)
    {
        (MadeDisk disk, int[] numbers, string fault) = Disks[name];
        using Guest guest = Guest.Open(new MemoryStream(disk.Bytes));
        Assert.Equal(numbers, guest.Volumes.Select(volume => volume.Number));
        Assert.Equal(fault, guest.PartitionTableFault?.Message);
        Assert.Equal(fault, Assert.Throws<GuestException>(() => guest.Find("/etc/passwd")).Message);
    }

    /// <summary>More than Linux reads: 256 entries, and as many records.</summary>
    [Fact]
    public void ChainOfAThousandRecords_IsReadAsFarAsLinuxDoes()
    {
        MadeDisk disk = new MadeDisk(5000).Entry(0, 0, 0x05, 8, 4900);
        for (int record = 0; record < 1000; record++)
        {
            disk.Entry(8 + (record * 4), 0, 0x83, 1, 2).Entry(8 + (record * 4), 1, 0x05, (uint)((record + 1) * 4), 4);
        }

        DiskLayout layout = PartitionTables.Read(disk.Source);
        Assert.InRange(layout.Partitions.Count, 100, DiskLayout.MaxPartitions);
        Assert.Equal(104, layout.Partitions[99].Number);
        Assert.Equal("the extended partition is divided further than Linux reads (256)", layout.Fault?.Message);
    }

    [Fact]
    public void BootRecordOfADiskWithLargeSectors_IsReadByWhatIsFound()
    {
        MadeDisk disk = new(400, sectorSize: 4096);
        disk.Bytes[510] = 0x55;
        disk.Bytes[511] = 0xAA;
        disk.Bytes[0x1BE + 4] = 0x83;
        BitConverter.TryWriteBytes(disk.Bytes.AsSpan(0x1BE + 8), 100);
        BitConverter.TryWriteBytes(disk.Bytes.AsSpan(0x1BE + 12), 200);
        Assert.Equal(512, PartitionTables.Read(disk.Source).SectorSize);
        "XFSB"u8.CopyTo(disk.Bytes.AsSpan(100 * 4096));
        DiskLayout layout = PartitionTables.Read(disk.Source);
        Assert.Equal((4096, 100L * 4096, 200L * 4096), (layout.SectorSize, layout.Partitions.Single().Start, layout.Partitions[0].Length));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(512)]
    public void DiskOfABsd_IsDividedByItsLabel(int offset)
    {
        DiskLayout layout = PartitionTables.Read(new MadeDisk(4000).BsdLabel(offset, (7, 16, 20), (1, 36, 10), (7, 0, 4000), (0, 50, 50), (8, 100, 50)).Source);
        Assert.Equal(PartitionTableKind.Bsd, layout.Kind);
        Assert.Equal(
            [(1, "BSD a: 4.2BSD", 16L * 512), (2, "BSD b: swap", 36 * 512), (5, "BSD e: MSDOS", 100 * 512)],
            layout.Partitions.Select(p => (p.Number, p.Type, p.Start)));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(2048)]
    public void AppleMap_NamesItsPartitions(int blockSize)
    {
        DiskLayout layout = PartitionTables.Read(new MadeDisk(400, blockSize).AppleMap(("Apple", "Apple_partition_map", 1, 3), ("disk", "Apple_HFS", 40, 20)).Source);
        Assert.Equal((PartitionTableKind.Apple, blockSize), (layout.Kind, layout.SectorSize));
        Assert.Equal(
            [(1, "Apple_partition_map \"Apple\"", (long)blockSize), (2, "Apple_HFS \"disk\"", 40L * blockSize)],
            layout.Partitions.Select(p => (p.Number, p.Type, p.Start)));
    }
}
