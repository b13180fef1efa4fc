namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A part of a chunk on a device.</summary>
/// <param name="DeviceId">The device's number.</param>
/// <param name="DeviceUuid">Its UUID.</param>
/// <param name="Offset">Where the part starts there, in bytes.</param>
internal readonly record struct BtrfsStripe(ulong DeviceId, UInt128 DeviceUuid, ulong Offset);
