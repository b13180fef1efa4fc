namespace Qcow2Stream.Nbd.Protocol;

/// <summary>NBD_STATE_…, of an extent in <c>base:allocation</c>.</summary>
[Flags]
internal enum AllocationState : uint
{
    None = 0,
    Hole = 1 << 0,
    Zero = 1 << 1,
}
