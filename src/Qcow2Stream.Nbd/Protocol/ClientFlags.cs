namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_FLAG_C_…</summary>
[Flags]
internal enum ClientFlags : uint
{
    FixedNewstyle = 1 << 0,
    NoZeroes = 1 << 1,
}
