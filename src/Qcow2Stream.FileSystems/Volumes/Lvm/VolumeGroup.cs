namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>A volume group, as a metadata text has it.</summary>
internal sealed class VolumeGroup
{
    private readonly Dictionary<string, MetadataNode> _logical = [];
    private readonly Dictionary<string, MetadataNode> _physical = [];

    private VolumeGroup(MetadataNode node)
    {
        Name = node.Name;
        Uuid = node.Text("id");
        Version = node.Number("seqno");
        long sectors = node.Number("extent_size");
        ExtentLength = sectors is > 0 and <= int.MaxValue
            ? sectors * LvmLayout.Sector
            : throw new GuestException($"the metadata of volume group '{Name}' is damaged: its extents have {sectors} sectors");
        foreach (MetadataNode volume in node.Section("physical_volumes")?.Sections ?? [])
        {
            _physical.TryAdd(volume.Name, volume);
        }

        foreach (MetadataNode volume in node.Section("logical_volumes")?.Sections ?? [])
        {
            _logical.TryAdd(volume.Name, volume);
            LogicalNames.Add(volume.Name);
        }
    }

    public string Name { get; }

    public string Uuid { get; }

    /// <summary>Grows with each change: <c>seqno</c>.</summary>
    public long Version { get; }

    /// <summary>The length of an extent in bytes.</summary>
    public long ExtentLength { get; }

    /// <summary>The logical volumes, hidden ones too, in the order of the text.</summary>
    public List<string> LogicalNames { get; } = [];

    /// <summary>
    /// The names by which segments mean physical volumes, with their UUIDs as the volumes have them. Those that were missing when others were written to
    /// are left out: they may be old.
    /// </summary>
    public IEnumerable<(string Name, string Uuid)> Physical => _physical.Values.Where(node => !node.List("flags").Contains("MISSING")).Select(node => (node.Name, PlainUuid(node)));

    /// <exception cref="GuestException">The text describes no group.</exception>
    public static VolumeGroup Of(MetadataNode text) => text.Sections.FirstOrDefault(section => section.Has("extent_size")) is { } node
        ? new VolumeGroup(node)
        : throw new GuestException("its metadata describes no volume group");

    /// <summary>A logical volume; null if there is none of that name.</summary>
    public MetadataNode? Logical(string name) => _logical.GetValueOrDefault(name);

    /// <summary>The bytes of extents on a physical volume start here; null if the group has none of that name.</summary>
    public long? FirstExtentOf(string physical) => _physical.TryGetValue(physical, out MetadataNode? node)
        ? Math.Min(node.Number("pe_start"), long.MaxValue / (4 * LvmLayout.Sector)) * LvmLayout.Sector
        : null;

    /// <summary>Extents in bytes.</summary>
    /// <exception cref="GuestException">There are more than a volume can have.</exception>
    public long Bytes(long extents) => extents <= long.MaxValue / 4 / ExtentLength
        ? extents * ExtentLength
        : throw new GuestException($"the metadata of volume group '{Name}' is damaged: {extents} extents");

    private static string PlainUuid(MetadataNode node) => node.Text("id").Replace("-", "", StringComparison.Ordinal);
}
