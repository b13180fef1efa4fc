using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Btrfs;
using Qcow2Stream.FileSystems.DiscUtilsReaders;
using Qcow2Stream.FileSystems.Ext;
using Qcow2Stream.FileSystems.Fat;
using Qcow2Stream.FileSystems.Volumes.Luks;
using Qcow2Stream.FileSystems.Volumes.Lvm;
using Qcow2Stream.FileSystems.Volumes.Raid;
using Qcow2Stream.FileSystems.Xfs;

namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>What a partition or disk holds, by its first bytes.</summary>
/// <param name="Name">Its usual name.</param>
/// <param name="Reader">Opens it as a file system of that name; null for what is only known by name.</param>
/// <param name="Manager">Finds the volumes that lie on all volumes of this kind; null if none do.</param>
internal sealed record ContentKind(
    string Name,
    Func<FileSystemSource, string, GuestFileSystem>? Reader = null,
    Func<IReadOnlyList<GuestVolume>, GuestOptions, CancellationToken, IEnumerable<StackedVolume>>? Manager = null)
{
    /// <summary>All that is looked at: the farthest signatures are those of Btrfs and ReiserFS, after 64 KiB.</summary>
    private const int ProbeLength = 72 << 10;

    private const string Swap = "swap";

    private const int ExtFeatures = 1116;

    private static readonly ContentKind Nothing = new("empty");
    private static readonly ContentKind Unknown = new("unknown");
    private static readonly ContentKind Raid = new("Linux RAID member", Manager: RaidArrays.On);
    private static readonly ContentKind Luks = new("LUKS", Manager: LuksVolumes.On);
    private static readonly ContentKind Lvm = new("LVM2 physical volume", Manager: VolumeGroups.On);

    /// <summary>
    /// Every kind, and how it shows. The order is that of trust: signatures that a formatting tool wipes or that lie
    /// where nothing else does come before those that may be left over.
    /// </summary>
    private static readonly (ContentKind Kind, Predicate<ReadOnlyMemory<byte>> Shows)[] Kinds =
    [
        (Luks, Has(0, [0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE])),
        (new("BitLocker"), Has(3, "-FVE-FS-"u8)),
        (new("NTFS", DiscUtilsFileSystems.OpenNtfs), Has(3, "NTFS    "u8)),
        (new("exFAT"), Has(3, "EXFAT   "u8)),
        (new("ReFS"), Has(3, "ReFS\0\0\0\0"u8)),
        (new("XFS", XfsFileSystem.Open), Has(0, "XFSB"u8)),
        (Lvm, probe => Enumerable.Range(0, 4).Any(sector => Has((sector * 512) + 24, "LVM2 001"u8)(probe))),
        (new("squashfs"), Has(0, "hsqs"u8)),
        (new("APFS"), Has(32, "NXSB"u8)),
        (new("QEMU disk image"), Has(0, [0x51, 0x46, 0x49, 0xFB])),
        (new("ext4", ExtFileSystem.Open), probe => IsExt(probe) && ExtVersion(probe.Span) == 4),
        (new("ext3", ExtFileSystem.Open), probe => IsExt(probe) && ExtVersion(probe.Span) == 3),
        (new("ext2", ExtFileSystem.Open), IsExt),
        (new("F2FS"), Has(1024, [0x10, 0x20, 0xF5, 0xF2])),
        (new("HFS+", DiscUtilsFileSystems.OpenHfsPlus), probe => Has(1024, "H+"u8)(probe) || Has(1024, "HX"u8)(probe)),
        (new("HFS"), Has(1024, "BD"u8)),
        (new("NILFS2"), Has(1030, [0x34, 0x34])),
        (new(Swap), probe => Has(4086, "SWAPSPACE2"u8)(probe) || Has(4086, "SWAP-SPACE"u8)(probe)),
        (new("bcachefs"), Has(4120, [0xC6, 0x85, 0x73, 0xF6, 0x4E, 0x1A, 0x45, 0xCA])),
        (new("UDF", DiscUtilsFileSystems.OpenUdf), IsUdf),
        (new("ISO 9660", DiscUtilsFileSystems.OpenIso9660), Has(32769, "CD001"u8)),
        (new("JFS"), Has(32768, "JFS1"u8)),
        (new("ReiserFS"), probe => Has(65588, "ReIsEr"u8)(probe)),
        (new(BtrfsFileSystem.Kind, BtrfsFileSystem.Open), Has(65600, "_BHRfS_M"u8)),
        (new("FAT", FatFileSystem.Open), IsFat),

        // Images are often handed on packed.
        (new("gzip data"), Has(0, [0x1F, 0x8B, 0x08])),
        (new("xz data"), Has(0, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00])),
        (new("zstd data"), Has(0, [0x28, 0xB5, 0x2F, 0xFD])),
        (new("bzip2 data"), probe => Has(0, "BZh"u8)(probe) && Has(4, [0x31, 0x41, 0x59, 0x26, 0x53, 0x59])(probe)),
        (new("zip archive"), Has(0, "PK\u0003\u0004"u8)),
        (new("VMDK disk image"), Has(0, "KDMV"u8)),
        (new("VHDX disk image"), Has(0, "vhdxfile"u8)),
        (new("VHD disk image"), Has(0, "conectix"u8)),
    ];

    /// <summary>The kinds on which volumes lie, in the order in which these are looked for: the members of one may lie on those of others before it.</summary>
    public static IReadOnlyList<ContentKind> Managed { get; } = [Raid, Luks, Lvm];

    /// <summary>What can't be looked at.</summary>
    public static ContentKind Unreadable { get; } = new("not readable");

    /// <summary>Whether there is a reader for it.</summary>
    public bool IsReadable => Reader is not null;

    /// <summary>Whether it is something that has a name.</summary>
    public bool IsKnown => this != Unknown;

    /// <summary>Whether files may be in it.</summary>
    public bool MayHoldFiles => IsKnown && this != Nothing && Name != Swap;

    /// <summary>Looks at the start of <paramref name="volume"/>.</summary>
    public static ContentKind Of(IBlockSource volume)
    {
        // A mirror's member may look like what is on the mirror, with its superblock at its end.
        if (RaidMember.HasSuperblock(volume))
        {
            return Raid;
        }

        byte[] start = new byte[Math.Min(ProbeLength, volume.Length)];
        volume.ReadExactly(0, start);
        foreach ((ContentKind kind, Predicate<ReadOnlyMemory<byte>> shows) in Kinds)
        {
            if (shows(start))
            {
                return kind;
            }
        }

        return start.AsSpan().ContainsAnyExcept((byte)0) ? Unknown : Nothing;
    }

    private static Predicate<ReadOnlyMemory<byte>> Has(int offset, ReadOnlySpan<byte> signature)
    {
        byte[] wanted = signature.ToArray();
        return probe => probe.Length >= offset + wanted.Length && probe.Span.Slice(offset, wanted.Length).SequenceEqual(wanted);
    }

    private static bool IsExt(ReadOnlyMemory<byte> probe) => Has(1080, [0x53, 0xEF])(probe) && probe.Length >= 2048;

    /// <summary>By what e2fsprogs calls it: extents, 64 bits, flexible groups and checksums make an ext4, a journal an ext3.</summary>
    private static int ExtVersion(ReadOnlySpan<byte> probe)
    {
        uint compatible = BinaryPrimitives.ReadUInt32LittleEndian(probe[ExtFeatures..]);
        uint incompatible = BinaryPrimitives.ReadUInt32LittleEndian(probe[(ExtFeatures + 4)..]);
        uint readOnly = BinaryPrimitives.ReadUInt32LittleEndian(probe[(ExtFeatures + 8)..]);
        bool isExt4 = (incompatible & ~0x1Fu) != 0 || (readOnly & ~0x7u) != 0;
        return isExt4 ? 4 : (compatible & 4) != 0 ? 3 : 2;
    }

    /// <summary>A volume recognition sequence of sectors of 2 KiB from 32 KiB on, with NSR02 or NSR03 in it (ECMA-167, 3/9.1).</summary>
    private static bool IsUdf(ReadOnlyMemory<byte> probe) => Enumerable.Range(0, 16).Any(
        sector => Has(32769 + (sector * 2048), "NSR02"u8)(probe) || Has(32769 + (sector * 2048), "NSR03"u8)(probe));

    /// <summary>A boot sector with a plausible BIOS parameter block; boot code for MBRs often has the rest.</summary>
    private static bool IsFat(ReadOnlyMemory<byte> probe)
    {
        if (!Has(510, [0x55, 0xAA])(probe) || !(Has(54, "FAT"u8)(probe) || Has(82, "FAT32"u8)(probe)))
        {
            return false;
        }

        ReadOnlySpan<byte> sector = probe.Span;
        int bytesPerSector = BinaryPrimitives.ReadUInt16LittleEndian(sector[11..]);
        return bytesPerSector is 512 or 1024 or 2048 or 4096 && int.IsPow2(sector[13]) && sector[16] is 1 or 2 && sector[21] >= 0xF0;
    }
}
