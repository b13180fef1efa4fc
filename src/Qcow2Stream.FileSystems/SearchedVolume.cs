namespace Qcow2Stream.FileSystems;

/// <summary>A volume whose file system was searched.</summary>
/// <param name="Volume">The volume.</param>
/// <param name="Kind">Its file system's kind, see <see cref="GuestFileSystem.Kind"/>.</param>
public sealed record SearchedVolume(GuestVolume Volume, string Kind)
{
    /// <summary>Names the volume and the file system for a message: <c>partition 2 (ext4)</c>.</summary>
    public override string ToString() => $"{Volume} ({Kind})";
}
