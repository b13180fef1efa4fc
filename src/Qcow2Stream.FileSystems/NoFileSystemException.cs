namespace Qcow2Stream.FileSystems;

/// <summary>A volume, or none of a guest's volumes, holds a file system that can be read.</summary>
public sealed class NoFileSystemException : GuestException
{
    internal NoFileSystemException(GuestVolume volume)
        : base($"{volume} holds no file system that can be read: found {What(volume)}{Why(volume)}")
    {
        Volumes = [volume];
    }

    internal NoFileSystemException(IReadOnlyList<GuestVolume> volumes)
        : base($"no file system that can be read: found {string.Join(", ", volumes.Select(v => $"{What(v)} on {v}{Why(v)}"))}")
    {
        Volumes = volumes;
    }

    // An image that was opened as if it were the disk in it.
    private static string What(GuestVolume volume) => volume switch
    {
        { IsKnown: false, Fault: null } => "nothing known",
        { Number: GuestVolume.WholeDisk, Content: "QEMU disk image" } => "QEMU disk image (to open it: Qcow2Chain.Open)",
        _ => volume.Content,
    };

    private static string Why(GuestVolume volume) => volume.Fault is { } fault ? $" ({fault})" : "";

    /// <summary>The volumes that were looked at; <see cref="GuestVolume.Content"/> says what is on each.</summary>
    public IReadOnlyList<GuestVolume> Volumes { get; }
}
