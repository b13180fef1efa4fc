namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_INFO_…</summary>
internal enum InfoType : ushort
{
    Export = 0,
    Name = 1,
    Description = 2,
    BlockSize = 3,
}
