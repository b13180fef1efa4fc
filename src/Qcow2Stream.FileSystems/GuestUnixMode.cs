namespace Qcow2Stream.FileSystems;

/// <summary>What Unix keeps of a file.</summary>
/// <param name="Permissions">The low twelve bits of the mode.</param>
/// <param name="UserId">The owner.</param>
/// <param name="GroupId">The owning group.</param>
/// <param name="LinkCount">How many names the file has.</param>
public readonly record struct GuestUnixMode(UnixFileMode Permissions, uint UserId, uint GroupId, uint LinkCount);
