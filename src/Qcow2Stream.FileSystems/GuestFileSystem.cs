using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems;

/// <summary>A file system of the guest, open.</summary>
/// <remarks>
/// Thread safety: a file system with its entries and their streams belongs to one user at a time. For readers in other
/// threads open it again, once for each: <see cref="GuestVolume.OpenFileSystem"/>.
/// </remarks>
public sealed class GuestFileSystem : IDisposable
{
    private readonly FileSystemSource _volume;
    private readonly IDisposable? _reader;

    /// <param name="kind">Its kind.</param>
    /// <param name="volume">What it is read from, which it then owns.</param>
    /// <param name="reader">What is disposed with it; may be null.</param>
    /// <param name="root">Its root directory.</param>
    internal GuestFileSystem(string kind, FileSystemSource volume, IDisposable? reader, GuestEntry root)
    {
        Kind = kind;
        Root = root;
        (_volume, _reader) = (volume, reader);
    }

    /// <summary>Its kind as tools name it, such as <c>ext4</c> or <c>FAT32</c>.</summary>
    public string Kind { get; }

    /// <summary>The root directory.</summary>
    public GuestEntry Root { get; }

    /// <summary>The label; untrusted text, empty if there is none.</summary>
    public string Label { get; internal init; } = "";

    /// <summary>What a user should know before trusting what is read; null if there is nothing to know.</summary>
    public string? Notice { get; internal init; }

    /// <summary>Counts what is in use, in bytes; null if the reader doesn't report it.</summary>
    internal Func<FileSystemUsage?> Usage { get; init; } = () => null;

    /// <summary>Lists subvolumes, for a reader that knows of such.</summary>
    internal Func<IReadOnlyList<GuestSubvolume>> Subvolumes { get; init; } = () => [];

    /// <summary>Lists the subvolumes and snapshots of Btrfs, by their numbers.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Empty for other file systems.</returns>
    /// <inheritdoc cref="GetUsage" path="/exception"/>
    public IReadOnlyList<GuestSubvolume> GetSubvolumes(CancellationToken cancellationToken = default) => _volume.Do(Subvolumes, cancellationToken);

    /// <summary>Gets how full the file system is. If that isn't recorded, all of its tables are read for it.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null if the reader doesn't report it.</returns>
    /// <exception cref="GuestException">It can't be read.</exception>
    /// <exception cref="Qcow2Exception">The image can't be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The file system is disposed.</exception>
    public FileSystemUsage? GetUsage(CancellationToken cancellationToken = default) => _volume.Do(Usage, cancellationToken);

    /// <summary>
    /// Finds what a path names. Symbolic links are followed inside the file system, as the guest would follow them itself,
    /// and never lead to the host.
    /// </summary>
    /// <param name="path">From the root; names with slashes between them. <c>.</c> and <c>..</c> mean what they always do.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>Null if there is no such path.</returns>
    /// <exception cref="GuestException">Something on the way can't be read, or links form a loop.</exception>
    /// <inheritdoc cref="GetUsage" path="/exception[@cref!='T:Qcow2Stream.FileSystems.GuestException']"/>
    public GuestEntry? Find(string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        return _volume.Do(() => PathSearch.Find(Root, path, cancellationToken), cancellationToken);
    }

    /// <summary>Closes the file system: its entries can't be read any more.</summary>
    public void Dispose()
    {
        _volume.Dispose();
        _reader?.Dispose();
    }
}
