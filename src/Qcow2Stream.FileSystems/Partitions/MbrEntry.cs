using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>One of the four entries of a boot record.</summary>
/// <param name="bytes">Its bytes in the sector.</param>
internal readonly ref struct MbrEntry(ReadOnlySpan<byte> bytes)
{
    public const int Length = 16;

    private const byte GptProtective = 0xEE;
    private const byte Active = 0x80;

    private readonly ReadOnlySpan<byte> _bytes = bytes[..Length];

    public byte Type => _bytes[4];

    /// <summary>Where the partition starts, counted from the record, or from the extended partition. In sectors.</summary>
    public uint Start => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[8..]);

    public uint Sectors => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[12..]);

    public bool IsUsed => Sectors != 0;

    /// <summary>Whether what it leads to is divided further: by CHS addresses, by LBA, or as Linux once marked it.</summary>
    public bool IsExtended => Type is 0x05 or 0x0F or 0x85;

    /// <summary>Whether it keeps systems that don't know GPTs from taking the disk for free.</summary>
    public bool IsProtective => Type == GptProtective;

    /// <summary>Whether its first byte is one that an entry may have: what has another isn't a table.</summary>
    public bool IsPlausible => _bytes[0] is 0 or Active;
}
