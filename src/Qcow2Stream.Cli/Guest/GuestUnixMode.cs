namespace Qcow2Stream.Cli.Guest;

/// <summary>What Unix keeps of a file.</summary>
/// <param name="Permissions">The low twelve bits of the mode.</param>
/// <param name="UserId">The owner.</param>
/// <param name="GroupId">The owning group.</param>
/// <param name="LinkCount">How many names it has.</param>
internal readonly record struct GuestUnixMode(UnixFileMode Permissions, int UserId, int GroupId, int LinkCount);
