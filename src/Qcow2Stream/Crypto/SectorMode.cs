namespace Qcow2Stream.Crypto;

/// <summary>How the blocks of one sector depend on each other.</summary>
internal enum SectorMode
{
    /// <summary>Not at all; the sector's number plays no part.</summary>
    Ecb,

    /// <summary>Cipher block chaining from the sector's initialization vector.</summary>
    Cbc,

    /// <summary>A counter, one big-endian number as wide as a block, that starts at the initialization vector.</summary>
    Ctr,

    /// <summary>XTS (IEEE 1619), the initialization vector being the data unit's number.</summary>
    Xts,
}
