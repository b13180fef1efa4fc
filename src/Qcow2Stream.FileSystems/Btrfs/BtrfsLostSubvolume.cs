using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A name of a subvolume that isn't there, as a snapshot has them for those inside what it was made of: an empty directory, as Linux shows it.</summary>
internal sealed class BtrfsLostSubvolume(GuestOptions options, string name) : GuestEntry(options)
{
    private const UnixFileMode Mode = (UnixFileMode)0x1ED;

    public override string Name => name;

    public override GuestEntryKind Kind => GuestEntryKind.Directory;

    public override long Length => 0;

    /// <summary>Linux shows the time at which it was looked at.</summary>
    public override DateTime ModifiedUtc => DateTime.UnixEpoch;

    public override GuestUnixMode? UnixMode => new(Mode, 0, 0, 1);

    internal override bool HasByteNames => true;

    internal override FileContent OpenContent() => throw new GuestException("it is a directory");

    internal override IEnumerable<GuestEntry> ReadDirectory() => [];
}
