using System.Globalization;
using Qcow2Stream.FileSystems.Partitions;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Partitions;

/// <summary>Partitions and their numbers are those that a Linux guest has: partx, of util-linux, reads the same disks.</summary>
public sealed class PartxTests
{
    private const int Sector = 512;

    private static readonly Dictionary<string, Func<MadeDisk>> Disks = new()
    {
        ["GPT"] = () => new MadeDisk(4000).Entry(0, 0, 0xEE, 1, 3999).Gpt((1, 40, 59), (2, 60, 79), (14, 100, 119)),
        ["protective entry that isn't the first"] = () =>
            new MadeDisk(4000).Entry(0, 2, 0xEE, 1, 3999).Gpt((1, 40, 59)),
        ["hybrid MBR"] = () => new MadeDisk(4000).Entry(0, 0, 0xEE, 1, 39).Entry(0, 1, 0x83, 100, 20, 0x80).Gpt((1, 40, 59), (3, 100, 119)),
        ["hybrid MBR, the protective entry last"] = () =>
            new MadeDisk(4000).Entry(0, 0, 0x83, 100, 20).Entry(0, 3, 0xEE, 1, 39).Gpt((1, 40, 59), (3, 100, 119)),
        ["old GPT below an MBR"] = () => new MadeDisk(4000).Entry(0, 0, 0x83, 100, 20).Gpt((1, 40, 59)),
        ["GPT and no boot record"] = () => new MadeDisk(4000).Gpt((1, 40, 59)),
        ["first header damaged"] = () => Damaged(new MadeDisk(4000).Entry(0, 0, 0xEE, 1, 3999).Gpt((1, 40, 59)), Sector + 30),
        ["entries damaged"] = () => Damaged(new MadeDisk(4000).Entry(0, 0, 0xEE, 1, 3999).Gpt((1, 40, 59)), (2 * Sector) + 3),
        ["partitions of no sectors"] = () => new MadeDisk(4000).Entry(0, 0, 0x83, 10, 0).Entry(0, 1, 0x83, 10, 5),
        ["boot flag that is none"] = () => new MadeDisk(4000).Entry(0, 0, 0x83, 10, 5, boot: 0x13),
        ["extended of Linux"] = () => new MadeDisk(4000).Entry(0, 1, 0x85, 8, 100).Entry(8, 0, 0x83, 1, 5),
        ["two extended ones"] = () => new MadeDisk(4000).Entry(0, 1, 0x05, 8, 50).Entry(0, 2, 0x0F, 100, 50).Entry(8, 0, 0x83, 1, 5).Entry(100, 0, 0x83, 1, 6),
        ["record with two links"] = () => new MadeDisk(4000)
            .Entry(0, 0, 0x05, 8, 200).Entry(8, 0, 0x05, 16, 8).Entry(8, 1, 0x05, 32, 8).Entry(24, 0, 0x83, 1, 3).Entry(40, 0, 0x83, 1, 4),
        ["junk in a record's last entries"] = () => new MadeDisk(4000)
            .Entry(0, 0, 0x05, 8, 100).Entry(8, 0, 0x83, 1, 3).Entry(8, 2, 0x83, 90, 30).Entry(8, 3, 0x83, 2, 2),
        ["chain that leads back"] = () => new MadeDisk(4000)
            .Entry(0, 0, 0x05, 8, 100).Entry(8, 0, 0x83, 1, 3).Entry(8, 1, 0x05, 16, 8).Entry(24, 0, 0x83, 1, 3).Entry(24, 1, 0x05, 16, 8),
        ["record that links to itself"] = () => new MadeDisk(4000).Entry(0, 0, 0x05, 8, 100).Entry(8, 0, 0x83, 1, 3).Entry(8, 1, 0x05, 0, 8),
        ["chain that ends in nothing"] = () => new MadeDisk(4000)
            .Entry(0, 0, 0x05, 8, 100).Entry(8, 0, 0x83, 1, 3).Entry(8, 1, 0x05, 16, 8),
        ["chain past the end"] = () => new MadeDisk(4000).Entry(0, 0, 0x83, 4, 3).Entry(0, 1, 0x05, 8000, 100),
        ["slice of FreeBSD"] = () => new MadeDisk(4000)
            .Entry(0, 0, 0xA5, 50, 100).BsdLabel(51 * Sector, (7, 16, 20), (1, 36, 10), (7, 0, 100), (27, 50, 50)),
        ["slice of OpenBSD, after logical ones"] = () => new MadeDisk(4000)
            .Entry(0, 0, 0x05, 8, 40).Entry(8, 0, 0x83, 1, 5).Entry(0, 1, 0xA6, 50, 100)
            .BsdLabel(51 * Sector, (7, 60, 20), (1, 80, 10), (1, 50, 100), (0, 70, 5), (7, 10, 10)),
        ["Apple map"] = () => new MadeDisk(4000).AppleMap(("Apple", "Apple_partition_map", 1, 3), ("disk", "Apple_HFS", 40, 20), ("", "Apple_Free", 60, 40)),
    };

    public static TheoryData<string> Names => [.. Disks.Keys];

    [PartxTheory]
    [MemberData(nameof(Names))]
    public async Task Disk_IsDividedAsLinuxDividesIt(string name)
    {
        MadeDisk disk = Disks[name]();
        DiskLayout layout = PartitionTables.Read(disk.Source);
        Assert.Equal(await ReadByPartx(disk.Bytes), layout.Partitions.Select(Numbers));
    }

    /// <summary>Boot records with any types, junk and links; the seed is in the message of what fails.</summary>
    [PartxFact]
    public async Task RandomBootRecords_AreReadAsLinuxReadsThem()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            MadeDisk disk = RandomDisk(new Random(seed));
            string[] actual = [.. PartitionTables.Read(disk.Source).Partitions.Select(Numbers)];
            string[] expected = await ReadByPartx(disk.Bytes);
            Assert.True(expected.SequenceEqual(actual), $"seed {seed}: partx reads {string.Join("; ", expected)}, and not {string.Join("; ", actual)}");
        }
    }

    private static MadeDisk RandomDisk(Random random)
    {
        MadeDisk disk = new MadeDisk(4000).Sign(0);
        for (int i = 0; i < 4; i++)
        {
            disk.Entry(0, i, RandomType(random, 5), (uint)random.Next(40, 60), (uint)Math.Max(0, random.Next(-3, 20)), random.Next(8) == 0 ? (byte)0x80 : (byte)0);
        }

        if (random.Next(4) > 0)
        {
            disk.Entry(0, random.Next(4), new byte[] { 0x05, 0x0F, 0x85 }[random.Next(3)], 100, 250);
        }

        // Records at 100, 120, …; partitions start in the twenty sectors after each, no two at one place.
        for (int record = 100; record < 300; record += 20)
        {
            disk.Sign(record);
            for (int i = 0; i < 4; i++)
            {
                bool isLink = random.Next(3) == 0;
                byte type = isLink ? (byte)0x05 : RandomType(random, i < 2 ? 3 : 2);
                uint start = isLink ? (uint)(random.Next(10) * 20) : (uint)((i * 4) + 1);
                disk.Entry(record, i, type, start, (uint)Math.Max(0, random.Next(-3, i < 2 ? 4 : 40)));
            }
        }

        return disk;
    }

    private static byte RandomType(Random random, int used) => random.Next(5) >= used ? (byte)0 : new byte[] { 7, 0x82, 0x83, 0x99 }[random.Next(4)];

    private static MadeDisk Damaged(MadeDisk disk, int offset)
    {
        disk.Bytes[offset] ^= 1;
        return disk;
    }

    private static string Numbers(Partition partition) => $"{partition.Number} {partition.Start / Sector} {partition.Length / Sector}";

    /// <summary>What partx shows, without the extended partitions, which hold others and nothing else.</summary>
    private static async Task<string[]> ReadByPartx(byte[] disk)
    {
        using TempDirectory directory = new();
        return
        [
            .. (await Partx.Read(directory.Write("disk", disk)))
                .Where(fields => fields.Length < 4 || !IsExtended(fields[3]))
                .Select(fields => $"{fields[0]} {fields[1]} {fields[2]}"),
        ];
    }

    private static bool IsExtended(string type) =>
        type.StartsWith("0x", StringComparison.Ordinal) && int.Parse(type[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture) is 0x05 or 0x0F or 0x85;
}
