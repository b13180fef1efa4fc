namespace Qcow2Stream.Crypto;

/// <summary>The block ciphers that QEMU's LUKS driver knows.</summary>
internal enum BlockAlgorithm
{
    /// <summary>AES: blocks of 16 bytes, keys of 16, 24 or 32.</summary>
    Aes,

    /// <summary>CAST-128: blocks of 8 bytes, keys of 16.</summary>
    Cast5,

    /// <summary>Serpent: blocks of 16 bytes, keys of 16, 24 or 32.</summary>
    Serpent,

    /// <summary>Twofish: blocks of 16 bytes, keys of 16, 24 or 32.</summary>
    Twofish,
}
