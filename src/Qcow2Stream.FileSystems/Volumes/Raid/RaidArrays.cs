using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Volumes.Raid;

/// <summary>Finds the arrays of Linux' md driver that members make.</summary>
internal static class RaidArrays
{
    public static IEnumerable<StackedVolume> On(
        IReadOnlyList<GuestVolume> members, GuestOptions options, CancellationToken cancellationToken)
    {
        List<RaidMember> found = [];
        foreach (GuestVolume volume in members)
        {
            try
            {
                found.Add(ReaderErrors.Call(() => RaidMember.Read(volume)));
            }
            catch (IOException e)
            {
                volume.Fault = e.Message;
            }
        }

        return found.GroupBy(member => member.Array).Select(array => Opened([.. array]));
    }

    private static StackedVolume Opened(List<RaidMember> members)
    {
        // What the newest says of the array counts; which of the others are as new, the array judges.
        RaidMember newest = members.Where(member => !member.IsReplacement).MaxBy(member => member.Events) ?? members[0];
        foreach (RaidMember other in members.Skip(1))
        {
            other.Volume.DeviceOf = members[0].Volume;
        }

        IBlockSource source = new Missing(0, "");
        string? fault = newest.Unhandled;
        try
        {
            source = fault is null ? ReaderErrors.Call(() => RaidArray.Open(newest, members)) : source;
        }
        catch (IOException e)
        {
            fault = e.Message;
        }

        return new StackedVolume($"md/{newest.Name}", $"RAID {Describe(newest)}", [.. members.Select(member => member.Volume)], source)
        {
            Uuid = Text(newest.Array),
            Fault = fault,
        };
    }

    private static string Describe(RaidMember member) => member.Level == RaidMember.Linear ? "linear" : $"{member.Level}";

    /// <summary>As mdadm writes it.</summary>
    private static string Text(UInt128 array) => string.Join(':', $"{array:x32}".Chunk(8).Select(part => new string(part)));
}
