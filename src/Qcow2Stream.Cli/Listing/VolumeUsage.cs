using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli.Listing;

/// <summary>What is known of a volume and the file system on it.</summary>
/// <param name="Volume">The volume.</param>
/// <param name="Content">What it holds, as tools name it.</param>
/// <param name="Label">The file system's label; null if it has no file system that can be read.</param>
/// <param name="Usage">How full the file system is, where that is known.</param>
internal sealed record VolumeUsage(GuestVolume Volume, string Content, string? Label, FileSystemUsage? Usage)
{
    /// <summary>Opens the file system; one that is damaged is reported, and then only named.</summary>
    public static VolumeUsage Of(GuestVolume volume, GuestFaults faults)
    {
        if (volume.MissingBytes > 0)
        {
            faults.Report(volume.ToString(), $"it ends {volume.MissingBytes} bytes past the end of the disk");
        }

        VolumeUsage unknown = new(volume, volume.Content, Label: null, Usage: null);
        if (!volume.IsReadable)
        {
            return unknown;
        }

        try
        {
            using GuestFileSystem files = volume.OpenFileSystem();
            return new VolumeUsage(volume, files.Kind, files.Label, files.GetUsage());
        }
        catch (IOException e)
        {
            faults.Report(volume.ToString(), e.Message);
            return unknown;
        }
    }
}
