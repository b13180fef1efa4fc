using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.Format;

/// <summary>One entry of the snapshot table: a fixed part, extra data, id, name, padding to 8 bytes (section "Snapshots").</summary>
internal static class SnapshotEntry
{
    /// <summary>The length of the fixed part.</summary>
    public const int FixedLength = ExtraDataSize + sizeof(uint);

    /// <summary>QEMU's own limit; only 24 bytes are defined.</summary>
    public const int MaxExtraData = 1024;

    /// <summary>The extra data that every entry of a version 3 image has: the 64-bit VM state size and the disk size.</summary>
    public const int Version3ExtraData = InstructionCount;

    private const int L1TableOffset = 0;
    private const int L1Size = L1TableOffset + sizeof(ulong);
    private const int IdSize = L1Size + sizeof(uint);
    private const int NameSize = IdSize + sizeof(ushort);
    private const int DateSeconds = NameSize + sizeof(ushort);
    private const int DateNanoseconds = DateSeconds + sizeof(uint);
    private const int VmClock = DateNanoseconds + sizeof(uint);
    private const int VmStateSize = VmClock + sizeof(ulong);
    private const int ExtraDataSize = VmStateSize + sizeof(uint);

    // Inside the extra data.
    private const int LargeVmStateSize = 0;
    private const int DiskSize = LargeVmStateSize + sizeof(ulong);
    private const int InstructionCount = DiskSize + sizeof(ulong);
    private const int ExtraDataEnd = InstructionCount + sizeof(ulong);

    private const long NanosecondsPerTick = 100;

    /// <summary>The length of the entry, from its fixed part, without the padding to 8 bytes: after the last entry that may be missing.</summary>
    /// <exception cref="Qcow2FormatException">The extra data is longer than allowed.</exception>
    public static int LengthOf(ReadOnlySpan<byte> fixedPart, string? path, long hostOffset)
    {
        uint extra = BinaryPrimitives.ReadUInt32BigEndian(fixedPart[ExtraDataSize..]);
        if (extra > MaxExtraData)
        {
            throw new Qcow2FormatException(
                $"a snapshot's extra data is {extra} bytes long; {MaxExtraData} are allowed", path, hostOffset: hostOffset + ExtraDataSize);
        }

        return FixedLength + (int)extra
            + BinaryPrimitives.ReadUInt16BigEndian(fixedPart[IdSize..]) + BinaryPrimitives.ReadUInt16BigEndian(fixedPart[NameSize..]);
    }

    /// <summary>How far it is from the start of an entry to the next.</summary>
    public static int Padded(int length) => (length + 7) & ~7;

    /// <summary>Parses a whole entry.</summary>
    /// <param name="entry">As long as <see cref="LengthOf"/> says.</param>
    /// <param name="activeSize">The active disk's size, for entries that record none.</param>
    /// <param name="path">For messages.</param>
    /// <param name="hostOffset">Where the entry is in the file.</param>
    /// <exception cref="Qcow2FormatException">A size is past 2^63.</exception>
    public static Qcow2Snapshot Parse(ReadOnlySpan<byte> entry, long activeSize, string? path, long hostOffset)
    {
        int extraLength = (int)BinaryPrimitives.ReadUInt32BigEndian(entry[ExtraDataSize..]);
        ReadOnlySpan<byte> extra = entry.Slice(FixedLength, extraLength);
        ReadOnlySpan<byte> names = entry[(FixedLength + extraLength)..];
        int idLength = BinaryPrimitives.ReadUInt16BigEndian(entry[IdSize..]);
        int nameLength = BinaryPrimitives.ReadUInt16BigEndian(entry[NameSize..]);
        ulong vmStateSize = extraLength >= DiskSize
            ? BinaryPrimitives.ReadUInt64BigEndian(extra)
            : BinaryPrimitives.ReadUInt32BigEndian(entry[VmStateSize..]);
        ulong diskSize = extraLength >= InstructionCount
            ? BinaryPrimitives.ReadUInt64BigEndian(extra[DiskSize..])
            : (ulong)activeSize;
        if (vmStateSize > long.MaxValue || diskSize > long.MaxValue)
        {
            throw new Qcow2FormatException(
                $"a snapshot's VM state size is {vmStateSize} and its disk size {diskSize}; both must be below 2^63", path, hostOffset: hostOffset);
        }

        uint seconds = BinaryPrimitives.ReadUInt32BigEndian(entry[DateSeconds..]);
        uint nanoseconds = BinaryPrimitives.ReadUInt32BigEndian(entry[DateNanoseconds..]);
        ulong clock = BinaryPrimitives.ReadUInt64BigEndian(entry[VmClock..]);
        ulong instructions = extraLength >= ExtraDataEnd
            ? BinaryPrimitives.ReadUInt64BigEndian(extra[InstructionCount..])
            : ulong.MaxValue;
        return new Qcow2Snapshot
        {
            Id = Encoding.UTF8.GetString(names[..idLength]),
            Name = Encoding.UTF8.GetString(names.Slice(idLength, nameLength)),
            Date = DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / NanosecondsPerTick),
            VmClock = TimeSpan.FromTicks((long)(clock / (ulong)NanosecondsPerTick)),
            VmStateSize = (long)vmStateSize,
            DiskSize = (long)diskSize,

            // QEMU writes -1 where it does not count.
            InstructionCount = instructions > long.MaxValue ? null : (long)instructions,
            DateSeconds = seconds,
            DateNanoseconds = nanoseconds,
            VmClockNanoseconds = clock,
            L1TableOffset = BinaryPrimitives.ReadUInt64BigEndian(entry[L1TableOffset..]),
            L1Size = BinaryPrimitives.ReadUInt32BigEndian(entry[L1Size..]),
            EntryLength = Padded(entry.Length),
            ExtraDataLength = extraLength,
        };
    }
}
