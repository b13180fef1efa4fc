namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>How a chunk is spread over devices: bits of its type.</summary>
[Flags]
internal enum BtrfsProfile : ulong
{
    Single = 0,
    Raid0 = 0x8,
    Raid1 = 0x10,
    Dup = 0x20,
    Raid10 = 0x40,
    Raid5 = 0x80,
    Raid6 = 0x100,
    Raid1C3 = 0x200,
    Raid1C4 = 0x400,

    /// <summary>Those with a sum of each row.</summary>
    WithParity = Raid5 | Raid6,
}
