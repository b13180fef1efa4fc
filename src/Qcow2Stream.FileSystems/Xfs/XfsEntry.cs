using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>A name in an XFS file system.</summary>
internal sealed class XfsEntry(XfsVolume volume, string name, ulong inodeNumber) : GuestEntry(volume.Options)
{
    private XfsInode? _inode;

    public override string Name => name;

    public override GuestEntryKind Kind => Inode.Kind;

    public override long Length => Kind == GuestEntryKind.File ? ReaderErrors.Call(() => Inode.Length) : 0;

    public override DateTime ModifiedUtc => ReaderErrors.Call(() => Inode.ModifiedUtc);

    public override GuestUnixMode? UnixMode => Inode.Mode;

    public override object? Identity => inodeNumber;

    public override string LinkTarget => Kind == GuestEntryKind.Link
        ? ReaderErrors.Call(() => GuestText.FromBytes(XfsLink.Target(volume, Inode)))
        : base.LinkTarget;

    internal override bool IgnoresCase => volume.IgnoresCase;

    internal override bool HasByteNames => true;

    private XfsInode Inode => _inode ??= ReaderErrors.Call(() => volume.Inode(inodeNumber));

    internal override FileContent OpenContent() => Inode.IsOnRealtimeDevice
        ? throw new GuestException("its content is on a realtime device, which is not read")
        : ReaderErrors.Call(() => new XfsContent(volume, Inode, Inode.Length));

    internal override IEnumerable<GuestEntry> ReadDirectory() => ReaderErrors.Each(
        () => XfsDirectory.Names(volume, Inode).Select(entry => new XfsEntry(volume, GuestText.FromBytes(entry.Name), entry.Inode)));
}
