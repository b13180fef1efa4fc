namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_E…</summary>
internal enum ErrorCode : uint
{
    None = 0,
    Perm = 1,
    Io = 5,
    Inval = 22,
    Overflow = 75,
}
