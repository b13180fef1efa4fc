using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A name in a Btrfs file system: in a subvolume, or that of one.</summary>
internal sealed class BtrfsEntry(BtrfsMount mount, BtrfsSubvolume subvolume, string name, ulong inodeNumber) : GuestEntry(mount.Volume.Options)
{
    private const int MaxTargetLength = 4096;

    private BtrfsInode? _inode;

    public override string Name => name;

    public override GuestEntryKind Kind => Inode.Kind;

    public override long Length => Kind == GuestEntryKind.File ? ReaderErrors.Call(() => Inode.Length) : 0;

    public override DateTime ModifiedUtc => ReaderErrors.Call(() => Inode.ModifiedUtc);

    public override GuestUnixMode? UnixMode => Inode.Mode;

    public override object? Identity => (mount, Place);

    public override string LinkTarget => Kind == GuestEntryKind.Link ? ReaderErrors.Call(ReadTarget) : base.LinkTarget;

    internal override bool HasByteNames => true;

    /// <summary>Its subvolume and inode.</summary>
    public (ulong Subvolume, ulong Inode) Place => (subvolume.Number, inodeNumber);

    /// <summary>The subvolume whose root it is; null if it is none.</summary>
    public BtrfsSubvolume? Subvolume => inodeNumber == subvolume.Root ? subvolume : null;

    private BtrfsInode Inode => _inode ??= ReaderErrors.Call(() => new BtrfsInode(subvolume, inodeNumber));

    /// <summary>Shows another subvolume in its place.</summary>
    public void Cover(BtrfsMount other) => mount.Add(other, this);

    internal override FileContent OpenContent() => ReaderErrors.Call(() => new BtrfsContent(mount.Volume, subvolume, Inode));

    internal override IEnumerable<GuestEntry> ReadDirectory() =>
        ReaderErrors.Each(() => BtrfsName.AllOf(subvolume, inodeNumber).Select(found => mount.Child(subvolume, inodeNumber, found)));

    internal override GuestEntry? FindInDirectory(string name, CancellationToken cancellationToken) => ReaderErrors.Call(
        () => BtrfsName.Find(subvolume.Tree, inodeNumber, BytesOf(name)) is { } found ? mount.Child(subvolume, inodeNumber, found) : null);

    private string ReadTarget()
    {
        BtrfsContent content = new(mount.Volume, subvolume, Inode);
        if (content.Length > MaxTargetLength)
        {
            throw new GuestException($"the link is damaged: its target has {content.Length} bytes");
        }

        byte[] target = new byte[content.Length];
        BlockSource.ReadExactly(content, 0, target);
        return GuestText.FromBytes(target);
    }
}
