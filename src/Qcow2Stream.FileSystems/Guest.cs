using System.Runtime.ExceptionServices;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Btrfs;
using Qcow2Stream.FileSystems.Entries;
using Qcow2Stream.FileSystems.Volumes;

namespace Qcow2Stream.FileSystems;

/// <summary>A guest's disk, or several, as their partition tables divide them, with the file systems on them.</summary>
/// <remarks>
/// <para>Thread safety: every member may be called by any number of threads at once. Each file system that is opened belongs to one user
/// at a time; several of them, of one volume too, may be used at once.</para>
/// <para>The guest owns what it was opened from (a chain, a stream, a source) and other disks that are <see cref="IDisposable"/>, and disposes them with itself,
/// or if opening fails, unless <see cref="GuestOptions.LeaveOpen"/> is set. Volumes and file systems can be read until the guest is disposed.</para>
/// <para>Nothing is ever written to the disk.</para>
/// </remarks>
public sealed class Guest : IDisposable
{
    private readonly DiskSource[] _sources;

    private Guest(DiskSource[] sources, GuestOptions options, CancellationToken cancellationToken)
    {
        _sources = sources;
        Disks = [.. sources.Select((source, index) => new GuestDisk(index + 1, source, SiblingsOf, options, cancellationToken))];
        Volumes = VolumeStack.Of(Disks.SelectMany(each => each.Volumes), found => new GuestVolume(found, SiblingsOf, options), options, cancellationToken).AsReadOnly();
        BtrfsDevices.Mark(Volumes);
    }

    /// <summary>The disk that it was opened from, then <see cref="GuestOptions.OtherDisks"/>.</summary>
    public IReadOnlyList<GuestDisk> Disks { get; }

    /// <summary>The volumes of all disks, in order (<see cref="GuestDisk.Volumes"/>), and behind each those that lie on it.</summary>
    public IReadOnlyList<GuestVolume> Volumes { get; }

    /// <inheritdoc cref="GuestDisk.PartitionTable"/>
    /// <value>That of the first disk.</value>
    public PartitionTableKind PartitionTable => Disks[0].PartitionTable;

    /// <inheritdoc cref="GuestDisk.PartitionTableFault"/>
    /// <value>That of the first disk.</value>
    public GuestException? PartitionTableFault => Disks[0].PartitionTableFault;

    /// <summary>Reads the partition table of a chain's disk, and looks at what is on each partition.</summary>
    /// <param name="disk">The chain, which the guest then owns.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the opening, between one partition and the next.</param>
    /// <exception cref="Qcow2Exception">The image can't be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Guest Open(Qcow2Chain disk, GuestOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(disk);
        return Open(() => BlockSource.FromChain(disk), disk, options, cancellationToken);
    }

    /// <summary>Reads the partition table of a disk that is a stream, and looks at what is on each partition.</summary>
    /// <param name="disk">Readable and seekable; the guest then owns it, and nothing else may move it.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the opening, between one partition and the next.</param>
    /// <exception cref="ArgumentException">The stream can't be read or can't seek.</exception>
    /// <inheritdoc cref="Open(Qcow2Chain, GuestOptions?, CancellationToken)"/>
    public static Guest Open(Stream disk, GuestOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(disk);
        return Open(() => BlockSource.FromStream(disk), disk, options, cancellationToken);
    }

    /// <summary>Reads the partition table of a disk of any kind, and looks at what is on each partition.</summary>
    /// <param name="disk">The disk; if it is <see cref="IDisposable"/> the guest then owns it. What its reads throw comes through as it is.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the opening, between one partition and the next.</param>
    /// <inheritdoc cref="Open(Qcow2Chain, GuestOptions?, CancellationToken)"/>
    public static Guest Open(IBlockSource disk, GuestOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(disk);
        return Open(() => disk, disk as IDisposable, options, cancellationToken);
    }

    /// <summary>Finds what a path names, on the one volume that has it.</summary>
    /// <param name="path">From the root of its file system; see <see cref="GuestFileSystem.Find"/>.</param>
    /// <param name="partition">
    /// The <see cref="GuestVolume.Number"/> of the volume of the first disk to look on, or on what lies on it; null for all volumes of all disks.
    /// </param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The place, with its file system open: dispose it.</returns>
    /// <exception cref="GuestPathNotFoundException">No file system that can be read has the path.</exception>
    /// <exception cref="AmbiguousPathException">Several volumes have it: choose one of those that the exception lists with <paramref name="partition"/>.</exception>
    /// <exception cref="PartitionNotFoundException">There is no volume with that number; the exception lists those that exist.</exception>
    /// <exception cref="NoFileSystemException">There is no file system that can be read; the exception lists what there is.</exception>
    /// <exception cref="GuestException">Not found, but something can't be read on a volume that may have it.</exception>
    /// <exception cref="Qcow2Exception">The image can't be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The guest is disposed.</exception>
    public GuestMatch Find(string path, int? partition = null, CancellationToken cancellationToken = default)
    {
        _sources[0].ThrowIfDisposed();
        return FindOn(path, partition is { } number ? VolumeOf(number) : null, cancellationToken);
    }

    /// <summary>Finds what a path names, on one volume or on what lies on it.</summary>
    /// <param name="path">From the root of its file system; see <see cref="GuestFileSystem.Find"/>.</param>
    /// <param name="volume">
    /// The volume as <c>df</c> prints it: its <see cref="GuestVolume.Name"/>, or the number of a partition, behind that of its disk and a colon if it isn't on the
    /// first one: <c>guest/root</c>, <c>2</c>, <c>2:1</c>.
    /// </param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="VolumeNotFoundException">There is no volume of that name; the exception lists those that exist.</exception>
    /// <inheritdoc cref="Find(string, int?, CancellationToken)"/>
    public GuestMatch Find(string path, string volume, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(volume);
        _sources[0].ThrowIfDisposed();
        return FindOn(path, Volumes.FirstOrDefault(each => each.Address == volume) ?? throw new VolumeNotFoundException(volume, Volumes), cancellationToken);
    }

    private GuestMatch FindOn(string path, GuestVolume? chosen, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        List<GuestMatch> found = [];
        List<SearchedVolume> searched = [];
        List<GuestException> faults = [.. (chosen is null ? Disks : []).Select(disk => disk.PartitionTableFault).OfType<GuestException>()];
        GuestMatch? only = null;
        try
        {
            foreach (GuestVolume volume in ToSearch(chosen))
            {
                try
                {
                    if (FindOn(volume, path, searched, cancellationToken) is { } here)
                    {
                        found.Add(here);
                    }
                }
                catch (GuestException e)
                {
                    faults.Add(e);
                }
            }

            only = found is [var match] ? match : throw NotFound(path, chosen, found, searched, faults);
            return only;
        }
        finally
        {
            foreach (GuestMatch other in found.Where(other => other != only))
            {
                other.Dispose();
            }
        }
    }

    /// <summary>Looks at every volume, and opens the file system on it: what <c>df</c> shows.</summary>
    /// <param name="onFault">
    /// Receives what can't be read, with the volume's or the disk's name as its path; the rest is reported nevertheless. Null: the first fault is thrown.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>A report for each of <see cref="Volumes"/>, in their order.</returns>
    /// <exception cref="GuestException">Something can't be read, and <paramref name="onFault"/> is null.</exception>
    /// <exception cref="Qcow2Exception">The image can't be read, and <paramref name="onFault"/> is null.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The guest is disposed.</exception>
    public IReadOnlyList<VolumeReport> Report(Action<GuestFault>? onFault = null, CancellationToken cancellationToken = default)
    {
        _sources[0].ThrowIfDisposed();
        Faults faults = new(onFault);
        foreach (GuestDisk disk in Disks.Where(disk => disk.PartitionTableFault is not null))
        {
            faults.Report(disk.Number == 1 ? "the disk" : $"disk {disk.Number}", disk.PartitionTableFault!);
        }

        return [.. Volumes.Select(volume => VolumeReport.Of(volume, faults, cancellationToken))];
    }

    /// <summary>Ends all reads, and disposes what the guest was opened from unless <see cref="GuestOptions.LeaveOpen"/> is set.</summary>
    public void Dispose()
    {
        foreach (GuestVolume volume in Volumes)
        {
            volume.Forget();
        }

        foreach (DiskSource source in _sources)
        {
            source.Dispose();
        }
    }

    private static Guest Open(Func<IBlockSource> disk, IDisposable? owned, GuestOptions? options, CancellationToken cancellationToken)
    {
        options ??= GuestOptions.Default;
        DiskSource[] others = [.. options.OtherDisks.Select(other => new DiskSource(other, options.LeaveOpen ? null : other as IDisposable))];
        owned = options.LeaveOpen ? null : owned;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new Guest([new DiskSource(disk(), owned), .. others], options, cancellationToken);
        }
        catch
        {
            owned?.Dispose();
            foreach (DiskSource other in others)
            {
                other.Dispose();
            }

            throw;
        }
    }

    private static GuestMatch? FindOn(GuestVolume volume, string path, List<SearchedVolume> searched, CancellationToken cancellationToken)
    {
        GuestFileSystem files = volume.OpenFileSystem(cancellationToken);
        GuestMatch? match = null;
        try
        {
            searched.Add(new SearchedVolume(volume, files.Kind));
            return match = files.Find(path, cancellationToken) is { } entry ? new GuestMatch(volume, files, entry) : null;
        }
        catch (GuestException e)
        {
            throw new GuestException($"{volume} ({files.Kind}): {e.Message}", e);
        }
        finally
        {
            (match is null ? files : null)?.Dispose();
        }
    }

    /// <summary>The volumes that have file systems, of one that is chosen those that lie on it.</summary>
    private GuestVolume[] ToSearch(GuestVolume? chosen)
    {
        if (chosen is { IsReadable: true })
        {
            return [chosen];
        }

        GuestVolume[] readable = [.. Volumes.Where(volume => volume.IsReadable && volume.DeviceOf is null && (chosen is null || volume.LiesOn(chosen)))];
        return readable.Length == 0 && chosen is not null ? [chosen] : readable;
    }

    /// <summary>What may hold files that nobody looked for.</summary>
    private GuestVolume[] Unsearched(GuestVolume? chosen) =>
        [.. Volumes.Where(volume => volume.MayHoldFiles && (chosen is null || volume.LiesOn(chosen)) && !Volumes.Any(other => other.LiesOn(volume)))];

    private IEnumerable<IBlockSource> SiblingsOf(GuestVolume volume) => Volumes.Where(other => other != volume).Select(other => other.Source);

    private GuestException NotFound(
        string path, GuestVolume? chosen, List<GuestMatch> found, List<SearchedVolume> searched, List<GuestException> faults)
    {
        if (found.Count > 0)
        {
            return new AmbiguousPathException(path, [.. found.Select(match => new SearchedVolume(match.Volume, match.FileSystem.Kind))]);
        }

        if (faults is [var fault])
        {
            ExceptionDispatchInfo.Throw(fault);
        }

        return faults.Count > 0 ? new GuestException(string.Join("; ", faults.Select(e => e.Message)), new AggregateException(faults))
            : searched.Count > 0 ? new GuestPathNotFoundException(path, searched.AsReadOnly(), Unsearched(chosen))
            : new NoFileSystemException(Volumes);
    }

    private GuestVolume VolumeOf(int number) => Disks[0].Volumes.FirstOrDefault(volume => volume.Number == number)
        ?? throw new PartitionNotFoundException(number, PartitionTable, Disks[0].Volumes);
}
