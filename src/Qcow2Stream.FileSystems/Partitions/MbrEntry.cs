using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>One of the four entries of a boot record.</summary>
/// <param name="bytes">Its bytes in the sector.</param>
internal readonly ref struct MbrEntry(ReadOnlySpan<byte> bytes)
{
    public const int Length = 16;

    private const int FirstAddress = 1;
    private const int LastAddress = 5;
    private const int AddressLength = 3;

    private readonly ReadOnlySpan<byte> _bytes = bytes[..Length];

    public byte Type => _bytes[4];

    /// <summary>Where the partition starts, counted from the record, or from the extended partition. In sectors.</summary>
    public uint Start => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[8..]);

    public uint Sectors => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[12..]);

    /// <summary>Whether it says where its partition ends, in one way or the other.</summary>
    public bool IsUsed => Sectors != 0 || _bytes.Slice(LastAddress, AddressLength).ContainsAnyExcept((byte)0);

    /// <summary>Whether it says where its partition starts, in one way or the other.</summary>
    public bool HasStart => (Start != 0 && Sectors != 0) || _bytes.Slice(FirstAddress, AddressLength).ContainsAnyExcept((byte)0);

    /// <summary>Whether what it leads to is divided further: by CHS addresses, or by LBA.</summary>
    public bool IsExtended => Type is 0x05 or 0x0F;
}
