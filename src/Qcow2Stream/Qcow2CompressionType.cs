namespace Qcow2Stream;

/// <summary>How the compressed clusters of an image are compressed (section "Header", compression_type).</summary>
public enum Qcow2CompressionType
{
    /// <summary>Raw deflate streams; the specification and QEMU call it zlib.</summary>
    Zlib = 0,

    /// <summary>Zstandard frames.</summary>
    Zstd = 1,
}
