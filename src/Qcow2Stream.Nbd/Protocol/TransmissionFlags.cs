namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_FLAG_…, of an export.</summary>
[Flags]
internal enum TransmissionFlags : ushort
{
    HasFlags = 1 << 0,
    ReadOnly = 1 << 1,
    SendDf = 1 << 7,
    CanMultiConn = 1 << 8,
}
