namespace Qcow2Stream.Tests.Infrastructure;

internal enum CompressionType
{
    Zlib = 0,
    Zstd = 1,
}
