namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_REPLY_FLAG_…</summary>
[Flags]
internal enum ChunkFlags : ushort
{
    None = 0,
    Done = 1 << 0,
}
