using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Volumes.Raid;

/// <summary>A member of an array of Linux' md driver, as its superblock describes it.</summary>
internal sealed record RaidMember
{
    /// <summary>The <see cref="Level"/> of members one behind the other.</summary>
    public const int Linear = -1;

    private const int MaxMembers = 1024;

    // A PiB: so many members of that length have a number of bytes.
    private const long MaxLength = 1L << 50;

    public required GuestVolume Volume { get; init; }

    /// <summary>What identifies the array.</summary>
    public required UInt128 Array { get; init; }

    /// <summary>Its name, or its number; untrusted text.</summary>
    public required string Name { get; init; }

    public required int Level { get; init; }

    public required int Layout { get; init; }

    /// <summary>The length of a chunk in bytes; 0 if there are none.</summary>
    public required long Chunk { get; init; }

    /// <summary>How many members the array has.</summary>
    public required int Count { get; init; }

    /// <summary>Its number, by which <see cref="RoleOf"/> knows it.</summary>
    public required int DeviceNumber { get; init; }

    /// <summary>What this one knows of each: the place among the members; null if it is a spare, or has failed.</summary>
    public required Func<int, int?> RoleOf { get; init; }

    /// <summary>Whether it is to take over the place of another, which has it still.</summary>
    public bool IsReplacement { get; init; }

    /// <summary>Grows with each change of the array's state.</summary>
    public required ulong Events { get; init; }

    /// <summary>The array's bytes on it.</summary>
    public required IBlockSource Data { get; init; }

    /// <summary>How many of these the array makes use of: of all members as many, but in linear arrays and RAID 0.</summary>
    public required long Used { get; init; }

    /// <summary>How far its content is right, in bytes: a member that was added is filled from its start on.</summary>
    public required long RecoveredTo { get; init; }

    /// <summary>How far the members agree with each other, in bytes.</summary>
    public required long SynchronisedTo { get; init; }

    /// <summary>Whether RAID 0 with members of unlike lengths counts chunks from the start of each zone, as it does since Linux 3.14; null if nobody says.</summary>
    public bool? CountsInZones { get; init; }

    /// <summary>Whether it lists places that can't be read or are out of date: Linux reads these from the others.</summary>
    public bool HasBadBlocks { get; init; }

    /// <summary>What it has that isn't handled; null for nothing.</summary>
    public string? Unhandled { get; init; }

    /// <summary>Whether a volume is a member.</summary>
    /// <remarks>Where there is something else, its end may be damaged.</remarks>
    public static bool HasSuperblock(IBlockSource volume)
    {
        try
        {
            return Find(volume) is not null;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Reads the superblock.</summary>
    /// <exception cref="GuestException">It is damaged.</exception>
    public static RaidMember Read(GuestVolume volume)
    {
        (byte[] superblock, bool isOld) = Find(volume.Source) ?? throw new GuestException("its superblock is damaged");
        return isOld ? ReadOld(volume, superblock) : ReadNew(volume, superblock);
    }

    private static (byte[] Superblock, bool IsOld)? Find(IBlockSource volume)
    {
        long newAtEnd = (volume.Length - RaidLayout.Version1.FromEnd) / RaidLayout.Version1.Alignment * RaidLayout.Version1.Alignment;
        long oldAtEnd = (volume.Length / RaidLayout.Version090.Reserved * RaidLayout.Version090.Reserved) - RaidLayout.Version090.Reserved;
        foreach (long place in (long[])[newAtEnd, 0, RaidLayout.Version1.SecondPlace])
        {
            if (SuperblockAt(volume, place) is { } found && IsNew(found, place))
            {
                return (found, false);
            }
        }

        return SuperblockAt(volume, oldAtEnd) is { } old && IsOld(old, oldAtEnd) ? (old, true) : null;
    }

    private static byte[]? SuperblockAt(IBlockSource volume, long place)
    {
        byte[] bytes = new byte[RaidLayout.Version1.Length];
        return place >= 0 && place <= volume.Length - bytes.Length && volume.ReadAt(place, bytes) == bytes.Length && Word(bytes, 0) == RaidLayout.Magic ? bytes : null;
    }

    private static bool IsNew(byte[] bytes, long place)
    {
        uint roles = Word(bytes, RaidLayout.Version1.MaxRoles);
        return Word(bytes, RaidLayout.Version1.MajorVersion) == 1
            && Quad(bytes, RaidLayout.Version1.SuperOffset) == (ulong)(place / RaidLayout.Sector)
            && roles <= (RaidLayout.Version1.Length - RaidLayout.Version1.Roles) / sizeof(ushort)
            && Sum(bytes.AsSpan(0, RaidLayout.Version1.Roles + ((int)roles * sizeof(ushort))), RaidLayout.Version1.Checksum) == Word(bytes, RaidLayout.Version1.Checksum);
    }

    private static bool IsOld(byte[] bytes, long place) =>
        Word(bytes, RaidLayout.Version090.MajorVersion) == 0
        && Word(bytes, RaidLayout.Version090.MemberKilobytes) * 1024L <= place
        && Sum(bytes, RaidLayout.Version090.Checksum) == Word(bytes, RaidLayout.Version090.Checksum);

    /// <summary>The sum of all words but the checksum itself, with what doesn't fit added at its end.</summary>
    private static uint Sum(ReadOnlySpan<byte> bytes, int checksum)
    {
        ulong sum = 0;
        int at = 0;
        for (; at + sizeof(uint) <= bytes.Length; at += sizeof(uint))
        {
            sum += at == checksum ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
        }

        sum += at < bytes.Length ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]) : 0u;
        return (uint)sum + (uint)(sum >> 32);
    }

    private static RaidMember ReadNew(GuestVolume volume, byte[] bytes)
    {
        uint features = Word(bytes, RaidLayout.Version1.Features);
        int count = (int)Math.Min(Word(bytes, RaidLayout.Version1.MemberCount), int.MaxValue);
        long length = InBytes(Quad(bytes, RaidLayout.Version1.DataSectors));
        string name = GuestText.FromTerminated(bytes.AsSpan(RaidLayout.Version1.Name, RaidLayout.Version1.NameLength));
        return Judge(new RaidMember
        {
            Volume = volume,
            Array = BinaryPrimitives.ReadUInt128BigEndian(bytes.AsSpan(RaidLayout.Version1.Array)),

            // Before it stands the host that made it.
            Name = name[(name.IndexOf(':') + 1)..],
            Level = (int)Word(bytes, RaidLayout.Version1.Level),
            Layout = (int)Word(bytes, RaidLayout.Version1.Layout),
            Chunk = Word(bytes, RaidLayout.Version1.ChunkSectors) * (long)RaidLayout.Sector,
            Count = count,
            DeviceNumber = (int)Math.Min(Word(bytes, RaidLayout.Version1.DeviceNumber), int.MaxValue),
            RoleOf = number => number < Word(bytes, RaidLayout.Version1.MaxRoles)
                && BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(RaidLayout.Version1.Roles + (number * sizeof(ushort)))) is var role && role < count ? role : null,
            IsReplacement = (features & RaidLayout.Version1.IsReplacement) != 0,
            HasBadBlocks = (features & RaidLayout.Version1.HasBadBlocks) != 0,
            Events = Quad(bytes, RaidLayout.Version1.Events),
            Data = volume.Source.Take(InBytes(Quad(bytes, RaidLayout.Version1.DataOffset)), length),
            Used = InBytes(Quad(bytes, RaidLayout.Version1.MemberSectors)),
            RecoveredTo = (features & RaidLayout.Version1.IsRecovering) != 0 ? InBytes(Quad(bytes, RaidLayout.Version1.RecoveryOffset)) : long.MaxValue,
            SynchronisedTo = InBytes(Quad(bytes, RaidLayout.Version1.SynchronisedTo)),
            CountsInZones = (features & RaidLayout.Version1.HasRaid0Layout) != 0 ? Word(bytes, RaidLayout.Version1.Layout) switch { 1 => false, 2 => true, _ => null } : null,
            Unhandled = (features & RaidLayout.Version1.IsReshaping) != 0 ? "it is being reshaped, which is not handled"
                : (features & ~RaidLayout.Version1.KnownFeatures) != 0 ? $"it has features that are not known (0x{features & ~RaidLayout.Version1.KnownFeatures:x})"
                : (features & RaidLayout.Version1.HasJournal) != 0 ? "it has a write journal, which is not handled"
                : null,
        });
    }

    private static RaidMember ReadOld(GuestVolume volume, byte[] bytes)
    {
        int count = (int)Math.Min(Word(bytes, RaidLayout.Version090.MemberCount), int.MaxValue);
        long end = (volume.Source.Length / RaidLayout.Version090.Reserved * RaidLayout.Version090.Reserved) - RaidLayout.Version090.Reserved;
        int level = (int)Word(bytes, RaidLayout.Version090.Level);
        bool isClean = (Word(bytes, RaidLayout.Version090.ArrayState) & RaidLayout.Version090.IsClean) != 0;
        bool isKnown = Quad(bytes, RaidLayout.Version090.Events) == Quad(bytes, RaidLayout.Version090.CheckpointEvents);
        uint synchronisedTo = isKnown ? Word(bytes, RaidLayout.Version090.SynchronisedTo) : 0;
        return Judge(new RaidMember
        {
            Volume = volume,
            Array = new UInt128(
                ((ulong)Word(bytes, RaidLayout.Version090.Array) << 32) | Word(bytes, RaidLayout.Version090.ArrayRest),
                ((ulong)Word(bytes, RaidLayout.Version090.ArrayRest + sizeof(uint)) << 32) | Word(bytes, RaidLayout.Version090.ArrayRest + (2 * sizeof(uint)))),
            Name = $"{Word(bytes, RaidLayout.Version090.Minor)}",
            Level = level,
            Layout = (int)Word(bytes, RaidLayout.Version090.Layout),
            Chunk = Word(bytes, RaidLayout.Version090.ChunkBytes),
            Count = count,
            DeviceNumber = (int)Math.Min(Word(bytes, RaidLayout.Version090.OwnDescription), int.MaxValue),
            RoleOf = number => RoleInOld(bytes, number, count),
            Events = Quad(bytes, RaidLayout.Version090.Events),
            Data = volume.Source.Take(0, end),
            Used = Word(bytes, RaidLayout.Version090.MemberKilobytes) * 1024L,
            RecoveredTo = long.MaxValue,
            SynchronisedTo = isClean || synchronisedTo == uint.MaxValue ? long.MaxValue : synchronisedTo * (long)RaidLayout.Sector,
            Unhandled = Word(bytes, RaidLayout.Version090.MinorVersion) == RaidLayout.Version090.ReshapingMinorVersion ? "it is being reshaped, which is not handled" : null,
        });
    }

    private static int? RoleInOld(byte[] bytes, int number, int count)
    {
        if (number is < 0 or >= RaidLayout.Version090.MaxDevices)
        {
            return null;
        }

        const uint All = RaidLayout.Version090.IsActive | RaidLayout.Version090.IsInSync | RaidLayout.Version090.IsFaulty;
        int place = RaidLayout.Version090.Descriptions + (number * RaidLayout.Version090.DescriptionLength);
        uint role = Word(bytes, place + RaidLayout.Version090.Role);
        bool isActive = (Word(bytes, place + RaidLayout.Version090.State) & All) == (RaidLayout.Version090.IsActive | RaidLayout.Version090.IsInSync);
        return isActive && role < count ? (int)role : null;
    }

    private static RaidMember Judge(RaidMember member) => member.Count is > 0 and <= MaxMembers && member.Used is >= 0 and <= MaxLength && member.Chunk <= MaxLength
        ? member
        : throw new GuestException($"its superblock is damaged: {member.Count} members of {member.Used} bytes");

    private static long InBytes(ulong sectors) => (long)Math.Min(sectors, MaxLength / RaidLayout.Sector) * RaidLayout.Sector;

    private static uint Word(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    private static ulong Quad(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(offset));
}
