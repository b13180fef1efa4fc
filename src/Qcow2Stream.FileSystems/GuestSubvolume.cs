namespace Qcow2Stream.FileSystems;

/// <summary>A subvolume or a snapshot of a Btrfs file system.</summary>
/// <param name="Number">Its number; 5 for the top-level one, in which all others are.</param>
/// <param name="Path">
/// Where it is from there: names with slashes between them, empty for the top-level one. Null if that can't be told: <see cref="PathFault"/>. Untrusted text.
/// </param>
/// <param name="MountPoint">
/// Where the guest mounts it: <c>/</c> for the one that is read as the root, for others what <c>/etc/fstab</c> says; null if that says nothing. Untrusted text.
/// </param>
/// <param name="IsReadOnly">Whether the guest can't write to it.</param>
public sealed record GuestSubvolume(long Number, string? Path, string? MountPoint, bool IsReadOnly)
{
    /// <summary>Why <see cref="Path"/> can't be told: what says it is damaged, or the path too long. Null if it is told.</summary>
    public string? PathFault { get; init; }
}
