namespace Qcow2Stream.Cli.Guest;

/// <summary>What can be told of a volume and the file system on it.</summary>
/// <param name="Partition">Its place.</param>
/// <param name="Content">What it holds, as tools name it.</param>
/// <param name="Label">The file system's label; null if it has no file system that can be read.</param>
/// <param name="UsedBytes">Bytes in use, where that is known.</param>
/// <param name="AvailableBytes">Bytes free, where that is known.</param>
internal sealed record VolumeUsage(Partition Partition, string Content, string? Label, long? UsedBytes, long? AvailableBytes)
{
    /// <summary>Opens the file system; one that is damaged is reported, and then only named.</summary>
    public static VolumeUsage Of(GuestVolume volume, GuestFaults faults)
    {
        if (volume.MissingBytes > 0)
        {
            faults.Report(volume.ToString(), $"it ends {volume.MissingBytes} bytes behind the end of the disk");
        }

        VolumeUsage unknown = new(volume.Partition, volume.Content.Name, Label: null, UsedBytes: null, AvailableBytes: null);
        if (!volume.Content.IsReadable)
        {
            return unknown;
        }

        try
        {
            using GuestFileSystem files = volume.OpenFileSystem();
            (long Used, long Available)? usage = files.Usage();
            return new VolumeUsage(volume.Partition, files.Kind, files.Label, usage?.Used, usage?.Available);
        }
        catch (IOException e)
        {
            faults.Report(volume.ToString(), e.Message);
            return unknown;
        }
    }
}
