namespace Qcow2Stream.Tests.Infrastructure;

internal enum GuestClusterKind
{
    Data,
    Zero,
    ZeroAllocated,
    Compressed,
    Subclusters,
    RawEntry,
}
