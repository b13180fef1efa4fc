namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_FLAG_…, of the server's greeting.</summary>
[Flags]
internal enum HandshakeFlags : ushort
{
    FixedNewstyle = 1 << 0,
    NoZeroes = 1 << 1,
}
