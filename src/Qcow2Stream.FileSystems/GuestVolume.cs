using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;
using Qcow2Stream.FileSystems.Partitions;
using Qcow2Stream.FileSystems.Volumes;
using Shared;

namespace Qcow2Stream.FileSystems;

/// <summary>
/// What may hold a file system: a partition or a whole disk, or a volume that lies on such: a logical volume of LVM2, an array of Linux' md RAID, what LUKS
/// protects.
/// </summary>
/// <remarks>Thread safety: every member may be called by any number of threads at once.</remarks>
public sealed class GuestVolume
{
    /// <summary>The <see cref="Number"/> of the volume that is the whole disk.</summary>
    public const int WholeDisk = 0;

    /// <summary>The <see cref="Number"/> of a volume that lies on others: it has a <see cref="Name"/>.</summary>
    public const int NoPartition = -1;

    private readonly DiskSource _disk;
    private readonly Func<GuestVolume, IEnumerable<IBlockSource>> _siblings;
    private readonly GuestOptions _options;

    internal GuestVolume(
        DiskSource disk, int diskNumber, Partition partition, int sectorSize, Func<GuestVolume, IEnumerable<IBlockSource>> siblings, GuestOptions options)
    {
        (_siblings, _options) = (siblings, options);
        _disk = disk;
        Disk = diskNumber;
        Number = partition.Number;
        Type = partition.Type;
        Start = partition.Start;
        Length = partition.Length;
        Source = new PartSource(disk, partition.Start, partition.Length, sectorSize);
        Kind = ContentKind.Of(Source);
    }

    /// <summary>A volume that lies on others.</summary>
    internal GuestVolume(StackedVolume stacked, Func<GuestVolume, IEnumerable<IBlockSource>> siblings, GuestOptions options)
    {
        (_siblings, _options) = (siblings, options);
        (Name, Type, Members, Source, Uuid, Fault) = (stacked.Name, stacked.Type, stacked.Members, stacked.Source, stacked.Uuid, stacked.Fault);
        _disk = Members[0]._disk;
        (Disk, Number, Length) = (Members[0].Disk, NoPartition, Source.Length);
        try
        {
            Kind = Source.Length == 0 ? ContentKind.Unreadable : ReaderErrors.Call(() => ContentKind.Of(Source));
        }
        catch (IOException e)
        {
            (Kind, Fault) = (ContentKind.Unreadable, Fault ?? e.Message);
        }
    }

    /// <summary>
    /// The name of a volume that lies on others, as Linux has it below <c>/dev</c> or <c>/dev/mapper</c>: <c>GROUP/VOLUME</c> of LVM2, <c>md/NAME</c>,
    /// <c>luks-UUID</c>; null for a partition or disk. Untrusted text: escape it before it is shown.
    /// </summary>
    public string? Name { get; }

    /// <summary>The volumes that it lies on, as far as they are there; empty for a partition or disk.</summary>
    public IReadOnlyList<GuestVolume> Members { get; } = [];

    /// <summary>The UUID of a volume that lies on others, as its own tools write it; null for a partition or disk. Untrusted text.</summary>
    public string? Uuid { get; }

    /// <summary>
    /// Why what lies on it can't be found, or why it can't be read, or not whole: no passphrase was given, a physical volume isn't there, its metadata is damaged. Null
    /// if nothing is known to be wrong.
    /// </summary>
    public string? Fault { get; internal set; }

    /// <summary>The <see cref="GuestDisk.Number"/> of the disk that it is a part of, or that its first member is on.</summary>
    public int Disk { get; }

    /// <summary>
    /// The partition's number as on Linux: that of its entry, from 1, or from 5 for logical partitions of an MBR; <see cref="WholeDisk"/> for the
    /// whole disk, and <see cref="NoPartition"/> for a volume that lies on others.
    /// </summary>
    public int Number { get; }

    /// <summary>What the partition table says it is for, or what kind of volume it is. It may hold untrusted text: escape it before it is shown.</summary>
    public string Type { get; }

    /// <summary>Where it starts, in bytes from the start of the disk; 0 for a volume that lies on others.</summary>
    public long Start { get; }

    /// <summary>How long it is, in bytes; the disk may be shorter, see <see cref="MissingBytes"/>.</summary>
    public long Length { get; }

    /// <summary>How much of it the disk doesn't have, in bytes; usually 0.</summary>
    public long MissingBytes => Length - Source.Length;

    /// <summary>
    /// What it holds by its first bytes, as tools name it: <c>ext4</c>, <c>LUKS</c>, <c>swap</c>; <c>empty</c>
    /// for zeros and <c>unknown</c> for anything else.
    /// </summary>
    public string Content => Kind.Name;

    /// <summary>Whether it holds a file system of a kind that can be read.</summary>
    public bool IsReadable => Kind.IsReadable;

    /// <summary>
    /// The volume before this one of whose file system, volume group or array this one is a further device; null if it is none. Of a file system on several devices
    /// (Btrfs), each gives the same files.
    /// </summary>
    public GuestVolume? DeviceOf { get; internal set; }

    /// <summary>Whether <see cref="Content"/> is the name of something.</summary>
    internal bool IsKnown => Kind.IsKnown;

    /// <summary>Whether it is only a passphrase that lacks.</summary>
    internal bool IsLocked { get; set; }

    /// <summary>What it holds.</summary>
    internal ContentKind Kind { get; }

    /// <summary>Its name, or its number, as <c>df</c> prints it.</summary>
    internal string Address => Name ?? (Disk == 1 ? $"{Number}" : $"{Disk}:{Number}");

    /// <summary>What it holds, and what is wrong with that, for a message.</summary>
    internal string Finding => Fault is null ? Content : $"{Content}: {Fault}";

    /// <summary>Whether it is something that files may be in, and can't be read.</summary>
    internal bool MayHoldFiles => !IsReadable && DeviceOf is null && Kind.MayHoldFiles;

    /// <summary>
    /// Its bytes by position from its start, as far as the disk has them. They can be read until the <see cref="Guest"/> is disposed.
    /// </summary>
    public IBlockSource Source { get; }

    /// <summary>A stream over its bytes with its own cursor; it belongs to one user at a time.</summary>
    /// <exception cref="ObjectDisposedException">The guest is disposed.</exception>
    public SparseStream OpenStream()
    {
        _disk.ThrowIfDisposed();
        return Source.OpenStream();
    }

    /// <summary>Opens the file system on it, for one user.</summary>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <exception cref="NoFileSystemException">It holds none that can be read; the exception says what it holds.</exception>
    /// <exception cref="GuestException">The file system is damaged, or uses a feature that isn't handled.</exception>
    /// <exception cref="Qcow2Exception">The image can't be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The guest is disposed.</exception>
    public GuestFileSystem OpenFileSystem(CancellationToken cancellationToken = default)
    {
        _disk.ThrowIfDisposed();
        if (Kind.Reader is not { } reader)
        {
            throw new NoFileSystemException(this);
        }

        FileSystemSource volume = new(Source, _siblings(this), _options);
        try
        {
            return volume.Do(() => Opened(ReaderErrors.Call(() => reader(volume, Kind.Name))), cancellationToken);
        }
        catch (GuestException e)
        {
            throw new GuestException($"the {Kind.Name} file system on {this} can't be read: {e.Message}", e);
        }
    }

    private static GuestFileSystem Opened(GuestFileSystem files)
    {
        bool isTree = false;
        try
        {
            isTree = files.Root.Kind == GuestEntryKind.Directory;
            return isTree ? files : throw new GuestException("its root is not a directory");
        }
        finally
        {
            (isTree ? null : files)?.Dispose();
        }
    }

    /// <summary>Lets go of what it has beside its disk: the key of what is encrypted.</summary>
    internal void Forget() => (Source as IDisposable)?.Dispose();

    /// <summary>Whether it lies on another, or on what lies on that.</summary>
    internal bool LiesOn(GuestVolume other) => Members.Any(member => member == other || member.LiesOn(other));

    /// <summary>Names the volume for a message: <c>partition 2</c>, <c>the disk</c>, <c>partition 1 of disk 2</c>, <c>disk 2</c>, <c>volume guest/root</c>.</summary>
    public override string ToString() => Name is not null ? $"volume {PrintableText.Escape(Name)}" : (Disk, Number) switch
    {
        (1, WholeDisk) => "the disk",
        (1, _) => $"partition {Number}",
        (_, WholeDisk) => $"disk {Disk}",
        _ => $"partition {Number} of disk {Disk}",
    };
}
