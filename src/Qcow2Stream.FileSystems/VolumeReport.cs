using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems;

/// <summary>What is known of a volume and the file system on it.</summary>
/// <param name="Volume">The volume.</param>
/// <param name="Content">What it holds, as tools name it.</param>
/// <param name="Label">The file system's label, untrusted text; null if it has no file system that can be read.</param>
/// <param name="Usage">How full the file system is; null where that isn't known.</param>
/// <param name="Subvolumes">The subvolumes of Btrfs; empty if there is only one, and for other file systems.</param>
public sealed record VolumeReport(
    GuestVolume Volume, string Content, string? Label, FileSystemUsage? Usage, IReadOnlyList<GuestSubvolume> Subvolumes)
{
    /// <summary>Opens the file system; one that is damaged is reported, and then only named.</summary>
    internal static VolumeReport Of(GuestVolume volume, Faults faults, CancellationToken cancellationToken)
    {
        if (volume.MissingBytes > 0)
        {
            faults.Report(volume.ToString(), new GuestException($"it ends {volume.MissingBytes} bytes past the end of the disk"));
        }

        // What wants a passphrase isn't damaged.
        if (volume is { Fault: { } fault, IsLocked: false })
        {
            faults.Report(volume.ToString(), new GuestException(fault));
        }

        VolumeReport unknown = new(volume, volume.Content, Label: null, Usage: null, Subvolumes: []);
        if (!volume.IsReadable || volume.DeviceOf is not null)
        {
            return unknown;
        }

        try
        {
            using GuestFileSystem files = volume.OpenFileSystem(cancellationToken);
            IReadOnlyList<GuestSubvolume> subvolumes = Try(volume, faults, () => files.GetSubvolumes(cancellationToken), []);
            if (subvolumes.Where(each => each.Path is null).ToArray() is [var first, ..] lost)
            {
                string others = lost.Length > 1 ? $", nor those of {lost.Length - 1} others" : "";
                faults.Report(volume.ToString(), new GuestException($"the path of subvolume {first.Number} is not known{others}: {first.PathFault}"));
            }

            return new VolumeReport(
                volume, files.Kind, files.Label, Try(volume, faults, () => files.GetUsage(cancellationToken), null), subvolumes.Count > 1 ? subvolumes : []);
        }
        catch (IOException e)
        {
            faults.Report(volume.ToString(), e);
            return unknown;
        }
    }

    /// <summary>What can't be told of a file system is no reason not to tell the rest.</summary>
    private static T Try<T>(GuestVolume volume, Faults faults, Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (IOException e)
        {
            faults.Report(volume.ToString(), e);
            return otherwise;
        }
    }
}
