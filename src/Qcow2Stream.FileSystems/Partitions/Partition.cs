namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>What a partition table says of one of its partitions.</summary>
/// <param name="Number">As the guest numbers them, from 1; logical partitions of an MBR from 5.</param>
/// <param name="Type">What it is for; may hold untrusted text.</param>
/// <param name="Start">Where it starts, in bytes.</param>
/// <param name="Length">How long it is, in bytes; the disk may be shorter.</param>
internal sealed record Partition(int Number, string Type, long Start, long Length)
{
    public static Partition Of(int number, string type, long firstSector, long lastSector, int sectorSize)
    {
        long last = Math.Clamp(lastSector, -1, (long.MaxValue / sectorSize) - 1);
        long first = Math.Clamp(firstSector, 0, last + 1);
        return new Partition(number, type, first * sectorSize, (last + 1 - first) * sectorSize);
    }
}
