namespace Qcow2Stream.FileSystems.Volumes.Raid;

/// <summary>Makes the bytes of an array out of those of its members.</summary>
internal static class RaidArray
{
    /// <param name="array">The member whose description counts.</param>
    /// <param name="members">All that are there.</param>
    /// <exception cref="GuestException">Too many are missing, or it is of a kind that isn't handled.</exception>
    public static IBlockSource Open(RaidMember array, IReadOnlyList<RaidMember> members)
    {
        RaidMember?[] present = Present(array, members);
        int missing = present.Count(member => member is null);
        int allowed = array.Level switch
        {
            1 => array.Count - 1,
            4 or 5 => 1,
            6 => 2,
            10 => array.Count - 1,
            _ => 0,
        };
        if (missing > allowed)
        {
            throw new GuestException($"{missing} of its {array.Count} members are missing");
        }

        // Without redundancy each member is used whole.
        bool isWhole = array.Level is 0 or RaidMember.Linear;
        if (array.Level is 4 or 5 or 6 && missing > 0 && array.SynchronisedTo < array.Used)
        {
            throw new GuestException($"{missing} of its {array.Count} members are missing, and the others were not in sync");
        }

        IBlockSource?[] sources = [.. present.Select(member => isWhole ? member!.Data : member?.Data.Take(0, array.Used))];
        long chunk = array.Chunk;
        if (chunk == 0 && array.Level is 0 or 4 or 5 or 6 or 10)
        {
            throw new GuestException("its superblock is damaged: chunks of 0 bytes");
        }

        return array.Level switch
        {
            RaidMember.Linear => new Concatenation(sources.OfType<IBlockSource>().Select(source => source.Slice(0, chunk == 0 ? source.Length : source.Length / chunk * chunk))),
            0 => Raid0(sources!, chunk, array.CountsInZones),
            1 => new Mirrored([.. sources.OfType<IBlockSource>()]),
            4 or 5 or 6 => WithParity(array, sources, chunk),
            10 => new Raid10Volume(sources, array.Layout, chunk),
            _ => throw new GuestException($"its level is {array.Level}, which is not handled"),
        };
    }

    /// <summary>The members in their places; null for those that aren't there, or whose content is old or not whole.</summary>
    private static RaidMember?[] Present(RaidMember array, IReadOnlyList<RaidMember> members)
    {
        RaidMember?[] present = new RaidMember?[array.Count];
        foreach (RaidMember member in members.OrderBy(member => member.IsReplacement))
        {
            // One that was left out while the others went on thinks that it is still a member: those that are as new as any know.
            if (array.RoleOf(member.DeviceNumber) is { } role && present[role] is null && member.Events + 1 >= array.Events
                && member.RecoveredTo >= array.Used && !member.HasBadBlocks)
            {
                present[role] = member;
            }
        }

        return present;
    }

    private static ParityVolume WithParity(RaidMember array, IBlockSource?[] sources, long chunk)
    {
        bool hasQ = array.Level == 6;
        int data = array.Count - (hasQ ? 2 : 1);
        return data >= 1
            ? new ParityVolume(sources, array.Level == 4 ? ParityLayout.ParityLast : (ParityLayout)array.Layout, chunk, hasQ, array.Used / chunk * chunk * data)
            : throw new GuestException($"its superblock is damaged: {array.Count} members");
    }

    /// <summary>
    /// Chunks go round all members; where the shortest ends, round the others, and so on (drivers/md/raid0.c). Which member a zone begins with
    /// depends on the version of Linux that made it.
    /// </summary>
    private static IBlockSource Raid0(IBlockSource[] members, long chunk, bool? countsInZones)
    {
        long[] ends = [.. members.Select(member => member.Length / chunk * chunk).Distinct().Order()];
        List<IBlockSource> zones = [];
        long start = 0;
        long before = 0;
        foreach (long end in ends)
        {
            IBlockSource[] longer = [.. members.Where(member => member.Length / chunk * chunk >= end).Select(member => member.Take(start, end - start))];
            if (zones.Count > 0 && countsInZones is null)
            {
                throw new GuestException("it is a RAID 0 of members of unlike lengths that doesn't say how its chunks are counted");
            }

            int first = countsInZones == false && zones.Count > 0 ? (int)(before / chunk % longer.Length) : 0;
            zones.Add(new Striped(longer, chunk, first));
            before += (end - start) * longer.Length;
            start = end;
        }

        return zones is [var only] ? only : new Concatenation(zones);
    }
}
