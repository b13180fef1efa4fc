using Qcow2Stream.FileSystems.Entries;
using Shared;

namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>Finds the logical volumes on physical ones.</summary>
internal static class VolumeGroups
{
    public static IEnumerable<StackedVolume> On(
        IReadOnlyList<GuestVolume> members, GuestOptions options, CancellationToken cancellationToken)
    {
        List<PhysicalVolume> physical = [];
        Dictionary<string, (VolumeGroup Group, GuestVolume From)> groups = [];
        foreach (GuestVolume member in members)
        {
            string? fault = null;
            try
            {
                ReaderErrors.Call<object?>(() =>
                {
                    PhysicalVolume volume = PhysicalVolume.Read(member);
                    physical.Add(volume);
                    foreach (VolumeGroup group in volume.ReadTexts(out fault).Select(VolumeGroup.Of))
                    {
                        if (!groups.TryGetValue(group.Uuid, out (VolumeGroup Group, GuestVolume From) known) || known.Group.Version < group.Version)
                        {
                            groups[group.Uuid] = (group, member);
                        }
                    }

                    return null;
                });
            }
            catch (IOException e)
            {
                fault = e.Message;
            }

            member.Fault = fault;
        }

        return groups.Values.SelectMany(each =>
        {
            try
            {
                return ReaderErrors.Call(() => VolumesOf(each.Group, physical));
            }
            catch (IOException e)
            {
                each.From.Fault = e.Message;
                return [];
            }
        });
    }

    private static IReadOnlyList<StackedVolume> VolumesOf(VolumeGroup group, List<PhysicalVolume> all)
    {
        Dictionary<string, IBlockSource> physical = [];
        List<GuestVolume> members = [];
        foreach ((string name, string uuid) in group.Physical)
        {
            // Of two with one UUID, one is a copy of the other's disk: no one knows which.
            PhysicalVolume[] found = [.. all.Where(each => each.Uuid == uuid)];
            if (found.Length > 1)
            {
                throw new GuestException($"{string.Join(" and ", found.Select(each => each.Volume))} are one physical volume of group '{group.Name}': a copy of it");
            }

            if (found.Length == 1 && physical.TryAdd(name, found[0].Volume.Source))
            {
                members.Add(found[0].Volume);
            }
        }

        members = [.. all.Select(each => each.Volume).Where(members.Contains)];
        foreach (GuestVolume other in members.Skip(1))
        {
            other.DeviceOf = members[0];
        }

        LogicalVolumes logical = new(group, physical);
        return members.Count == 0 ? [] : [.. logical.Visible.Select(name => Opened(group, logical, name, members))];
    }

    private static StackedVolume Opened(VolumeGroup group, LogicalVolumes logical, string name, IReadOnlyList<GuestVolume> members)
    {
        string type = "volume";
        string? uuid = null;
        string? fault = null;
        IBlockSource source = new Missing(0, "");
        try
        {
            ReaderErrors.Call<object?>(() =>
            {
                type = logical.TypeOf(name);
                uuid = logical.UuidOf(name);
                source = logical.Open(name);
                return null;
            });
            if (logical.MissingOf(name) is { Count: > 0 } missing)
            {
                fault = $"physical volumes of it are not there: {string.Join(", ", missing.Select(PrintableText.Escape).Order(StringComparer.Ordinal))}";
            }
        }
        catch (IOException e)
        {
            fault = e.Message;
        }

        return new StackedVolume($"{group.Name}/{name}", $"LVM2 {type}", members, source) { Uuid = uuid, Fault = fault };
    }
}
