namespace Qcow2Stream.Crypto.Luks;

/// <summary>
/// Where each field of a LUKS2 binary header starts, in bytes; every position is the one before plus its length
/// (LUKS2 On-Disk Format Specification 1.1.3, section 2.1). All integers are big-endian.
/// </summary>
internal static class Luks2Layout
{
    public const int Magic = 0;
    public const int Version = Magic + 6;
    public const int HeaderSize = Version + sizeof(ushort);
    public const int SequenceId = HeaderSize + sizeof(ulong);
    public const int Label = SequenceId + sizeof(ulong);
    public const int ChecksumAlgorithm = Label + LabelLength;
    public const int Salt = ChecksumAlgorithm + AlgorithmLength;
    public const int Uuid = Salt + SaltLength;
    public const int Subsystem = Uuid + UuidLength;
    public const int HeaderOffset = Subsystem + LabelLength;
    public const int Padding = HeaderOffset + sizeof(ulong);
    public const int Checksum = Padding + PaddingLength;

    /// <summary>The length of the whole binary header, in bytes; the JSON area follows.</summary>
    public const int Length = 4096;

    /// <summary>The smallest binary header with its JSON area, in bytes.</summary>
    public const int MinHeaderSize = 16 << 10;

    /// <summary>The largest, likewise. All sizes are powers of two; the second header comes right after the first.</summary>
    public const int MaxHeaderSize = 4 << 20;

    public const int LabelLength = 48;
    public const int AlgorithmLength = 32;
    public const int SaltLength = 64;
    public const int UuidLength = 40;
    public const int PaddingLength = 184;
    public const int ChecksumLength = 64;
}
