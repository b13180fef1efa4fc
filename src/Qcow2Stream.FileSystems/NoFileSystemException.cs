namespace Qcow2Stream.FileSystems;

/// <summary>A volume, or none of a guest's volumes, holds a file system that can be read.</summary>
public sealed class NoFileSystemException : GuestException
{
    internal NoFileSystemException(GuestVolume volume)
        : base($"{volume} holds no file system that can be read: found {volume.Content}")
    {
        Volumes = [volume];
    }

    internal NoFileSystemException(IReadOnlyList<GuestVolume> volumes)
        : base($"no file system that can be read: found {string.Join(", ", volumes.Select(v => $"{v.Content} on {v}"))}")
    {
        Volumes = volumes;
    }

    /// <summary>The volumes that were looked at; <see cref="GuestVolume.Content"/> says what is on each.</summary>
    public IReadOnlyList<GuestVolume> Volumes { get; }
}
