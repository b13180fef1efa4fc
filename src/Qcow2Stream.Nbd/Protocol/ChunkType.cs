namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_REPLY_TYPE_…, of a chunk of a structured reply.</summary>
internal enum ChunkType : ushort
{
    None = 0,
    OffsetData = 1,
    OffsetHole = 2,
    BlockStatus = 5,
    Error = (1 << 15) + 1,
    ErrorOffset = (1 << 15) + 2,
}
