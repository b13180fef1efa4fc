using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;
using Qcow2Stream.FileSystems.Partitions;
using Qcow2Stream.FileSystems.Volumes;

namespace Qcow2Stream.FileSystems;

/// <summary>A part of a guest's disk that may hold a file system: a partition, or the whole disk.</summary>
/// <remarks>Thread safety: every member may be called by any number of threads at once.</remarks>
public sealed class GuestVolume
{
    /// <summary>The <see cref="Number"/> of the volume that is the whole disk.</summary>
    public const int WholeDisk = 0;

    private readonly DiskSource _disk;
    private readonly ContentKind _content;
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
        _content = ContentKind.Of(Source);
    }

    /// <summary>The <see cref="GuestDisk.Number"/> of the disk that it is a part of.</summary>
    public int Disk { get; }

    /// <summary>
    /// The partition's number as on Linux: that of its entry, from 1, or from 5 for logical partitions of an MBR; <see cref="WholeDisk"/> for the whole disk.
    /// </summary>
    public int Number { get; }

    /// <summary>What the partition table says it is for. It may hold untrusted text: escape it before it is shown.</summary>
    public string Type { get; }

    /// <summary>Where it starts, in bytes from the start of the disk.</summary>
    public long Start { get; }

    /// <summary>How long it is, in bytes; the disk may be shorter, see <see cref="MissingBytes"/>.</summary>
    public long Length { get; }

    /// <summary>How much of it the disk doesn't have, in bytes; usually 0.</summary>
    public long MissingBytes => Length - Source.Length;

    /// <summary>
    /// What it holds by its first bytes, as tools name it: <c>ext4</c>, <c>LUKS</c>, <c>swap</c>; <c>empty</c>
    /// for zeros and <c>unknown</c> for anything else.
    /// </summary>
    public string Content => _content.Name;

    /// <summary>Whether it holds a file system of a kind that can be read.</summary>
    public bool IsReadable => _content.IsReadable;

    /// <summary>
    /// The volume before this one of whose file system this one is a further device, as Btrfs can have several; null if it is none. Either gives the same files.
    /// </summary>
    public GuestVolume? DeviceOf { get; internal set; }

    /// <summary>Whether <see cref="Content"/> is the name of something.</summary>
    internal bool IsKnown => _content.IsKnown;

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
        if (_content.Reader is not { } reader)
        {
            throw new NoFileSystemException(this);
        }

        FileSystemSource volume = new(Source, _siblings(this), _options);
        try
        {
            return volume.Do(() => Opened(ReaderErrors.Call(() => reader(volume, _content.Name))), cancellationToken);
        }
        catch (GuestException e)
        {
            throw new GuestException($"the {_content.Name} file system on {this} can't be read: {e.Message}", e);
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

    /// <summary>Names the volume for a message: <c>partition 2</c>, <c>the disk</c>, <c>partition 1 of disk 2</c>, <c>disk 2</c>.</summary>
    public override string ToString() => (Disk, Number) switch
    {
        (1, WholeDisk) => "the disk",
        (1, _) => $"partition {Number}",
        (_, WholeDisk) => $"disk {Disk}",
        _ => $"partition {Number} of disk {Disk}",
    };
}
