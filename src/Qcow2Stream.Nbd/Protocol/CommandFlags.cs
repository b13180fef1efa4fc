namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_CMD_FLAG_…</summary>
[Flags]
internal enum CommandFlags : ushort
{
    None = 0,
    Fua = 1 << 0,
    NoHole = 1 << 1,
    Df = 1 << 2,
    ReqOne = 1 << 3,
    FastZero = 1 << 4,
}
