using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Fat;

/// <summary>A name in a FAT file system.</summary>
internal sealed class FatEntry : GuestEntry
{
    private readonly FatVolume _volume;
    private readonly uint _firstCluster;
    private readonly uint _size;

    private FatEntry(FatVolume volume, string name, FatRecord record)
        : base(volume.Options)
    {
        (_volume, Name) = (volume, name);
        (_firstCluster, _size) = (record.FirstCluster, record.Size);
        Kind = record.IsDirectory ? GuestEntryKind.Directory : GuestEntryKind.File;
        ModifiedUtc = record.Modified;
    }

    private FatEntry(FatVolume volume)
        : base(volume.Options)
    {
        (_volume, Name) = (volume, "");
        _firstCluster = volume.RootCluster;
        Kind = GuestEntryKind.Directory;
        ModifiedUtc = DateTime.UnixEpoch;
        IsRoot = true;
    }

    public override string Name { get; }

    public override GuestEntryKind Kind { get; }

    public override long Length => Kind == GuestEntryKind.File ? _size : 0;

    public override DateTime ModifiedUtc { get; }

    /// <summary>Where a directory starts. Two files that start at one place are damage too, but no walk enters them.</summary>
    public override object? Identity => Kind == GuestEntryKind.Directory && (IsRoot || _firstCluster != 0) ? _firstCluster : null;

    internal override bool IgnoresCase => true;

    private bool IsRoot { get; }

    public static FatEntry RootOf(FatVolume volume) => new(volume);

    internal override FileContent OpenContent() => new FatContent(_volume, _firstCluster, _size);

    internal override IEnumerable<GuestEntry> ReadDirectory() => ReaderErrors.Each(() =>
        FatDirectory.Entries(FatDirectory.Read(_volume, _firstCluster, IsRoot), (name, record) => new FatEntry(_volume, name, record)));
}
