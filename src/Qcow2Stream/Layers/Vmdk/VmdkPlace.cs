using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>Where bytes of an extent are, and for how long that holds.</summary>
/// <param name="Part">The extent.</param>
/// <param name="Kind">Data, Compressed (one grain at most), Zero or Unallocated.</param>
/// <param name="Length">In bytes of the disk; 1 or more.</param>
/// <param name="HostOffset">In the extent's file: of the first byte, or of the compressed grain; nowhere if nothing is stored.</param>
/// <param name="OffsetInGrain">Where in its grain the first byte is, in bytes.</param>
internal readonly record struct VmdkPlace(VmdkPart Part, RunKind Kind, long Length, long HostOffset = HostRun.Nowhere, long OffsetInGrain = 0);
