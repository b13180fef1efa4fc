namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>A member of a RAID.</summary>
/// <param name="Data">Its bytes.</param>
/// <param name="Description">Where dm-raid keeps what it knows of it; null for RAID 0, which needs nothing.</param>
internal sealed record LogicalImage(IBlockSource Data, IBlockSource? Description);
