using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.Format;

/// <summary>
/// One entry of the bitmap directory: a fixed part, extra data, the name, padding to 8 bytes (section "Bitmap directory").
/// </summary>
/// <param name="TableOffset">Where the bitmap's table is in the file.</param>
/// <param name="TableSize">How many 64-bit entries it has.</param>
/// <param name="Flags">In use, auto.</param>
/// <param name="GranularityBits">The log2 of the bytes that a bit stands for.</param>
/// <param name="Name">Untrusted text.</param>
/// <param name="EntryOffset">Where this entry is in the file.</param>
internal sealed record BitmapEntry(
    long TableOffset, int TableSize, BitmapFlags Flags, int GranularityBits, string Name, long EntryOffset)
{
    public const int FixedLength = ExtraDataSizeAt + sizeof(uint);

    /// <summary>QEMU's own limits.</summary>
    public const int MaxNameLength = 1023;
    public const uint MaxTableSize = 0x800_0000;

    /// <summary>The table entries' reserved bits; bit 0 says "all ones" where there is no offset.</summary>
    public const ulong TableReservedMask = 0xFF00_0000_0000_01FE;
    public const ulong TableOffsetMask = 0x00FF_FFFF_FFFF_FE00;
    public const ulong TableAllOnes = 1;

    private const int TableOffsetAt = 0;
    private const int TableSizeAt = TableOffsetAt + sizeof(ulong);
    private const int FlagsAt = TableSizeAt + sizeof(uint);
    private const int TypeAt = FlagsAt + sizeof(uint);
    private const int GranularityBitsAt = TypeAt + sizeof(byte);
    private const int NameSizeAt = GranularityBitsAt + sizeof(byte);
    private const int ExtraDataSizeAt = NameSizeAt + sizeof(ushort);

    private const byte DirtyTracking = 1;
    private const int MinGranularityBits = 9;
    private const int MaxGranularityBits = 31;

    /// <summary>The length of the whole entry, from its fixed part.</summary>
    public static long LengthOf(ReadOnlySpan<byte> fixedPart) =>
        (FixedLength + (long)ExtraDataSize(fixedPart) + NameSize(fixedPart) + 7) & ~7;

    /// <summary>Where the name starts in the entry, from its fixed part.</summary>
    public static long NameOffset(ReadOnlySpan<byte> fixedPart) => FixedLength + (long)ExtraDataSize(fixedPart);

    public static int NameSize(ReadOnlySpan<byte> fixedPart) => BinaryPrimitives.ReadUInt16BigEndian(fixedPart[NameSizeAt..]);

    /// <summary>Parses and checks an entry.</summary>
    /// <exception cref="Qcow2FormatException">A field breaks a rule of the specification.</exception>
    /// <exception cref="Qcow2UnsupportedException">A type or extra data is not known.</exception>
    public static BitmapEntry Parse(
        ReadOnlySpan<byte> fixedPart, ReadOnlySpan<byte> name, Geometry geometry, string? path, long hostOffset)
    {
        Qcow2FormatException Error(string problem) => new($"bitmap: {problem}", path, hostOffset: hostOffset);

        ulong tableOffset = BinaryPrimitives.ReadUInt64BigEndian(fixedPart);
        uint tableSize = BinaryPrimitives.ReadUInt32BigEndian(fixedPart[TableSizeAt..]);
        if (tableOffset is 0 or > long.MaxValue || !geometry.IsClusterAligned((long)tableOffset))
        {
            throw Error($"table offset 0x{tableOffset:x} is 0 or not cluster-aligned");
        }

        if (tableSize is 0 or > MaxTableSize)
        {
            throw Error($"its table has {tableSize} entries; it must have 1 to {MaxTableSize}");
        }

        int granularityBits = fixedPart[GranularityBitsAt];
        if (granularityBits is < MinGranularityBits or > MaxGranularityBits)
        {
            throw Error($"granularity_bits is {granularityBits}; it must be from {MinGranularityBits} to {MaxGranularityBits}");
        }

        BitmapFlags flags = (BitmapFlags)BinaryPrimitives.ReadUInt32BigEndian(fixedPart[FlagsAt..]);
        const BitmapFlags Known = BitmapFlags.InUse | BitmapFlags.Auto | BitmapFlags.ExtraDataCompatible;
        if ((flags & ~Known) != 0)
        {
            throw Error($"reserved flags are set: 0x{(uint)flags:x8}");
        }

        if (fixedPart[TypeAt] != DirtyTracking)
        {
            throw new Qcow2UnsupportedException(
                $"bitmap type {fixedPart[TypeAt]}", $"bitmap type {fixedPart[TypeAt]} is not known; 1 (dirty tracking) is", path, hostOffset);
        }

        if (ExtraDataSize(fixedPart) != 0 && !flags.HasFlag(BitmapFlags.ExtraDataCompatible))
        {
            throw new Qcow2UnsupportedException(
                "bitmap extra data", "a bitmap has extra data that must be understood, and none is known", path, hostOffset);
        }

        return name.Length is > 0 and <= MaxNameLength
            ? new BitmapEntry((long)tableOffset, (int)tableSize, flags, granularityBits, Encoding.UTF8.GetString(name), hostOffset)
            : throw Error($"its name is {name.Length} bytes long; it must be 1 to {MaxNameLength}");
    }

    private static uint ExtraDataSize(ReadOnlySpan<byte> fixedPart) =>
        BinaryPrimitives.ReadUInt32BigEndian(fixedPart[ExtraDataSizeAt..]);
}
