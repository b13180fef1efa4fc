namespace Qcow2Stream.Crypto;

/// <summary>How a sector's number becomes its initialization vector (dm-crypt's names).</summary>
internal enum IvKind
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>The lower 32 bits of the number, little-endian, padded with zeros.</summary>
    Plain,

    /// <summary>The number in 64 bits, little-endian, padded with zeros.</summary>
    Plain64,

    /// <summary>As <see cref="Plain64"/>, then encrypted under a hash of the key.</summary>
    Essiv,
}
