namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>Makes the bytes of a group's logical volumes out of those of its physical ones: each kind of segment.</summary>
/// <param name="group">The group.</param>
/// <param name="physical">The physical volumes that are there, by the names that segments give them.</param>
internal sealed class LogicalVolumes(VolumeGroup group, IReadOnlyDictionary<string, IBlockSource> physical)
{
    // A volume lies on its parts, these on theirs: a mirror of mirrors on stripes has five levels.
    private const int MaxDepth = 16;

    // 16 bytes of memory each, of all snapshots together: a store of 32 GiB in chunks of 4 KiB has as many.
    private const int MaxExceptions = 8 << 20;

    // Of all volumes together, looking for what is missing of each.
    private const int MaxLooks = 1 << 20;

    private readonly Dictionary<string, IBlockSource> _stores = [];
    private readonly Dictionary<string, ThinPool> _pools = [];
    private readonly Dictionary<string, (string Origin, MetadataNode Segment)> _snapshots = FindSnapshots(group);
    private readonly HashSet<string> _merging = FindMerging(group);
    private int _exceptions = MaxExceptions;
    private int _depth;
    private int _looks;

    /// <summary>What users see: all but the parts of others, and pools. The store of a snapshot is hidden, and bears its name.</summary>
    public IEnumerable<string> Visible => group.LogicalNames.Where(name =>
        (Node(name).List("status").Contains("VISIBLE") || _snapshots.ContainsKey(name)) && !TypeOf(name).EndsWith("-pool", StringComparison.Ordinal) && TypeOf(name) != "snapshot");

    /// <summary>What kind of volume it is, as <c>lvs</c> names it.</summary>
    public string TypeOf(string name) => _snapshots.TryGetValue(name, out (string Origin, MetadataNode Segment) snapshot)
        ? $"snapshot of {snapshot.Origin}"
        : Segments(name) is [var first, ..] ? first.Text("type") is "striped" && first.Number("stripe_count", 1) == 1 ? "linear" : first.Text("type") : "empty";

    /// <summary>Its UUID, as <c>lvs</c> shows it; null if there is none.</summary>
    public string? UuidOf(string name) => Node(name).Has("id") ? Node(name).Text("id") : null;

    /// <summary>The parts that are missing of a volume, each physical volume once.</summary>
    public IReadOnlySet<string> MissingOf(string name)
    {
        HashSet<string> missing = [];
        HashSet<string> seen = [];
        Stack<string> ahead = new([name]);
        while (ahead.TryPop(out string? next))
        {
            if (++_looks > MaxLooks)
            {
                throw new GuestException($"the logical volumes of group '{group.Name}' lie on each other in too many ways");
            }

            if (group.FirstExtentOf(next) is not null)
            {
                _ = physical.ContainsKey(next) || missing.Add(next);
            }
            else if (group.Logical(next) is not null && seen.Add(next))
            {
                foreach (string part in Segments(next).SelectMany(PartsOf))
                {
                    _looks++;
                    ahead.Push(part);
                }
            }
        }

        return missing;
    }

    /// <summary>A volume as users see it.</summary>
    /// <exception cref="GuestException">It is of a kind that isn't handled, or its metadata is damaged.</exception>
    public IBlockSource Open(string name) => _merging.Contains(name) ? throw new GuestException($"a snapshot is being merged into '{name}', which is not handled")
        : _snapshots.TryGetValue(name, out (string Origin, MetadataNode Segment) snapshot)
        ? SnapshotVolume.Open(Store(snapshot.Origin), Store(name), snapshot.Segment.Number("chunk_size"), ref _exceptions)
        : Store(name);

    /// <summary>What a volume has in itself: of a snapshot, what was copied into it.</summary>
    public IBlockSource Store(string name)
    {
        if (_stores.TryGetValue(name, out IBlockSource? known))
        {
            return known;
        }

        if (++_depth > MaxDepth)
        {
            throw new GuestException($"the logical volume '{name}' is a part of itself");
        }

        List<IBlockSource> parts = [];
        long extents = 0;
        try
        {
            foreach (MetadataNode segment in Segments(name))
            {
                if (segment.Number("start_extent") != extents)
                {
                    throw new GuestException($"the metadata of '{name}' is damaged: its segments don't follow each other");
                }

                parts.Add(Segment(name, segment));
                extents += segment.Number("extent_count");
            }
        }
        finally
        {
            _depth--;
        }

        return _stores[name] = parts is [var only] ? only : new Concatenation(parts);
    }

    private static Dictionary<string, (string Origin, MetadataNode Segment)> FindSnapshots(VolumeGroup group)
    {
        Dictionary<string, (string Origin, MetadataNode Segment)> snapshots = [];
        foreach (MetadataNode segment in group.LogicalNames.SelectMany(name => SegmentsOf(group.Logical(name)!)))
        {
            if (segment.Text("type") == "snapshot" && segment.Has("cow_store"))
            {
                snapshots.TryAdd(segment.Text("cow_store"), (segment.Text("origin"), segment));
            }
        }

        return snapshots;
    }

    /// <summary>Volumes that are to become what a snapshot of them is, and these: both are half of it.</summary>
    private static HashSet<string> FindMerging(VolumeGroup group) =>
        [.. group.LogicalNames.SelectMany(name => SegmentsOf(group.Logical(name)!).SelectMany(segment =>
            segment.Has("merging_store") ? [segment.Text("origin"), segment.Text("merging_store")]
            : segment.Has("merge") ? new[] { segment.Text("merge"), name } : []))];

    private static IReadOnlyList<MetadataNode> SegmentsOf(MetadataNode volume) =>
        [.. volume.Sections.Where(section => section.Name.StartsWith("segment", StringComparison.Ordinal)).OrderBy(section => section.Number("start_extent"))];

    private IReadOnlyList<MetadataNode> Segments(string name) => SegmentsOf(Node(name));

    private MetadataNode Node(string name) => group.Logical(name) ?? throw new GuestException($"there is no logical volume '{name}' in the group");

    private IBlockSource Segment(string name, MetadataNode segment)
    {
        string type = segment.Text("type");
        long length = group.Bytes(segment.Number("extent_count"));
        return type switch
        {
            "striped" => Stripes(segment, length),
            "mirror" when segment.Has("extents_moved") && segment.Number("extents_moved") == segment.Number("extent_count") =>
                Areas(segment, "mirrors", length, segment.Number("mirror_count"))[^1],
            "mirror" => new Mirrored([.. Areas(segment, "mirrors", length, segment.Number("mirror_count")).OrderBy(area => area is Missing)]),
            "thin" => Pool(segment.Text("thin_pool")).Open(
                segment.Number("device_id"), length, segment.Has("external_origin") ? Store(segment.Text("external_origin")) : null),
            "zero" => new Zeros(length),
            "error" => new Missing(length, $"'{name}' has nothing there (error segment)"),
            _ when LogicalRaid.Knows(type) => new LogicalRaid(segment, type, length).Open(Images(segment)),
            _ => throw new GuestException($"'{name}' is of type '{type}', which is not handled"),
        };
    }

    private IBlockSource Stripes(MetadataNode segment, long length)
    {
        long count = segment.Number("stripe_count", 1);
        IBlockSource[] areas = Areas(segment, "stripes", length / Math.Max(1, count), count);
        long chunk = count == 1 ? 0 : segment.Number("stripe_size") * LvmLayout.Sector;
        return count == 1 ? areas[0]
            : chunk > 0 && areas[0].Length % chunk == 0 ? new Striped(areas, chunk)
            : throw new GuestException($"its metadata is damaged: stripes of {chunk} bytes");
    }

    /// <summary>The parts of a segment: names, each with the extent at which it starts there.</summary>
    private IBlockSource[] Areas(MetadataNode segment, string key, long length, long count)
    {
        IReadOnlyList<object> list = segment.List(key);
        if (count < 1 || list.Count != count * 2)
        {
            throw new GuestException($"its metadata is damaged: '{key}' are {list.Count / 2}, not {count}");
        }

        return [.. list.Chunk(2).Select(pair => pair is [string name, long and >= 0 and var extent]
            ? Area(name, group.Bytes(extent), length)
            : throw new GuestException($"its metadata is damaged: '{key}' are not pairs of a name and a number"))];
    }

    private IBlockSource Area(string name, long start, long length) =>
        group.FirstExtentOf(name) is not { } first ? Store(name).Take(start, length)
        : physical.TryGetValue(name, out IBlockSource? volume) ? volume.Take(first + start, length)
        : new Missing(length, $"it needs the physical volume {name} of volume group '{group.Name}', which is not there");

    private ThinPool Pool(string name)
    {
        if (!_pools.TryGetValue(name, out ThinPool? pool))
        {
            MetadataNode segment = Segments(name) is [var only] && only.Text("type") == "thin-pool"
                ? only
                : throw new GuestException($"its pool '{name}' is of a kind that is not handled");
            _pools[name] = pool = new ThinPool(Store(segment.Text("metadata")), Store(segment.Text("pool")));
        }

        return pool;
    }

    /// <summary>The images of a RAID with what describes each; null for one that isn't there, or not whole.</summary>
    private IReadOnlyList<LogicalImage?> Images(MetadataNode segment)
    {
        bool isPlain = segment.Has("raid0_lvs");
        string[] names = [.. segment.List(isPlain ? "raid0_lvs" : "raids").OfType<string>()];
        return [.. names.Chunk(isPlain ? 1 : 2).Select(pair => pair.All(name => MissingOf(name).Count == 0 && Segments(name).All(part => part.Text("type") != "error"))
            ? new LogicalImage(Store(pair[^1]), isPlain ? null : Store(pair[0]))
            : null)];
    }

    private static IEnumerable<string> PartsOf(MetadataNode segment) =>
        ((string[])["stripes", "mirrors", "raids", "raid0_lvs"]).SelectMany(key => segment.List(key).OfType<string>())
        .Concat(((string[])["thin_pool", "metadata", "pool", "external_origin", "origin", "cow_store"]).Where(segment.Has).Select(segment.Text));
}
