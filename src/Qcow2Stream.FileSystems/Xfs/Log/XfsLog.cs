using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>
/// The log: a ring of records of what was to be written elsewhere ("Journaling Log"). If the last record is that of unmounting, all is where it belongs;
/// otherwise the log is replayed in memory.
/// </summary>
internal static class XfsLog
{
    // Attributes, which aren't read, may be logged by what is to be done with them.
    private const uint KnownFeatures = 0x1;

    /// <summary>Reads a volume as it is after a replay of its log, if one is needed.</summary>
    /// <returns>The volume, and what a user should know.</returns>
    public static (XfsVolume Volume, string? Notice) Replay(FileSystemSource source)
    {
        XfsVolume volume = new(source);
        try
        {
            XfsLogRing ring = new(volume);
            XfsLogEnds ends = XfsLogEnds.Find(ring);
            return ends.Blocks == 0 ? (volume, null) : Replay(source, volume, ring, ends);
        }
        catch (GuestException e)
        {
            // Where the log should be is something else, or nothing: that is no reason not to read the files.
            source.Replayed = null;
            return (volume, $"its log is not replayed, as the guest would do first ({e.Message}): what it wrote last may be missing");
        }
    }

    private static (XfsVolume Volume, string? Notice) Replay(FileSystemSource source, XfsVolume volume, XfsLogRing ring, XfsLogEnds ends)
    {
        if ((volume.LogFeatures & ~KnownFeatures) is not 0 and var unknown)
        {
            throw new GuestException($"it has features that are not handled (0x{unknown:x})");
        }

        XfsLogResult result = XfsLogReplay.Run(source, volume, ring, ends);
        source.Replayed = result.Written;
        XfsVolume replayed = new(source, result);
        return (replayed, new XfsLogContent(replayed, result).Finish());
    }
}
