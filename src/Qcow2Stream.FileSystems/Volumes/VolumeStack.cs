namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>
/// Finds the volumes that lie on others, and what lies on these: a logical volume on what LUKS protects on an array of disks. Each manager looks at all members of
/// its kind at once.
/// </summary>
internal static class VolumeStack
{
    // Far more than anybody stacks or has; each is looked at.
    private const int MaxRounds = 16;
    private const int MaxVolumes = 4096;

    /// <summary>Those that are there from the start, and behind each what lies on it.</summary>
    public static List<GuestVolume> Of(IEnumerable<GuestVolume> disks, Func<StackedVolume, GuestVolume> make, GuestOptions options, CancellationToken cancellationToken)
    {
        List<GuestVolume> all = [.. disks];
        try
        {
            Add(all, make, options, cancellationToken);
        }
        catch
        {
            all.ForEach(volume => volume.Forget());
            throw;
        }

        return all;
    }

    private static void Add(List<GuestVolume> all, Func<StackedVolume, GuestVolume> make, GuestOptions options, CancellationToken cancellationToken)
    {
        List<GuestVolume> unseen = [.. all];
        HashSet<string> names = [];
        for (int round = 0; round < MaxRounds; round++)
        {
            if (ContentKind.Managed.FirstOrDefault(kind => unseen.Any(volume => volume.Kind == kind)) is not { Manager: { } manager } next)
            {
                break;
            }

            GuestVolume[] members = [.. unseen.Where(volume => volume.Kind == next)];
            unseen.RemoveAll(volume => volume.Kind == next);
            foreach (StackedVolume found in manager(members, options, cancellationToken))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (all.Count >= MaxVolumes)
                {
                    members[0].Fault = $"there are more than {MaxVolumes} volumes";
                    return;
                }

                // Linux has one of a name, and lets the others go without.
                string name = found.Name;
                for (int copy = 2; !names.Add(name); copy++)
                {
                    name = $"{found.Name}:{copy}";
                }

                GuestVolume volume = make(found with { Name = name });
                all.Insert(PlaceBehind(all, found.Members[0]), volume);
                unseen.Add(volume);
            }
        }
    }

    /// <summary>Behind a volume and all that lies on it.</summary>
    private static int PlaceBehind(List<GuestVolume> all, GuestVolume member)
    {
        int place = all.IndexOf(member) + 1;
        while (place < all.Count && all[place].LiesOn(member))
        {
            place++;
        }

        return place;
    }
}
