namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>How an extent is compressed.</summary>
internal enum BtrfsCompression
{
    None,
    Zlib,
    Lzo,
    Zstd,
}
