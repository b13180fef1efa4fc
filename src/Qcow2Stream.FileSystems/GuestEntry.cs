using System.Text;
using Qcow2Stream.FileSystems.Copying;
using Qcow2Stream.FileSystems.Entries;
using Shared;

namespace Qcow2Stream.FileSystems;

/// <summary>A name in a guest's file system and what it stands for. Symbolic links are not followed here: they are entries too.</summary>
/// <remarks>
/// <para>An entry belongs to its file system's one user, and can be read until the file system is disposed. Its properties are
/// read when they are used.</para>
/// <para>Every member may throw a <see cref="GuestException"/> where the file system is damaged, and a <see cref="Qcow2Exception"/> where the image
/// can't be read; <see cref="Name"/> never does.</para>
/// </remarks>
public abstract class GuestEntry
{
    private readonly GuestOptions _options;

    // Only readers of this library derive from it.
    private protected GuestEntry(GuestOptions options) => _options = options;

    /// <summary>
    /// The name in its directory; empty for a root. Where the file system keeps bytes, the text that <see cref="GuestText"/> makes of them. Untrusted, and
    /// may hold anything: escape it before it is shown.
    /// </summary>
    public abstract string Name { get; }

    /// <summary>The bytes of the name: as they are where the file system keeps bytes, otherwise its text as UTF-8.</summary>
    public byte[] NameBytes => BytesOf(Name);

    /// <summary>What it is.</summary>
    public abstract GuestEntryKind Kind { get; }

    /// <summary>The size in bytes; 0 for what has no content.</summary>
    public abstract long Length { get; }

    /// <summary>When the content was last changed, in UTC; <see cref="DateTime.UnixEpoch"/> if that isn't known. FAT keeps local times, which are taken as UTC.</summary>
    public abstract DateTime ModifiedUtc { get; }

    /// <summary>Permissions, owner and links, where the file system keeps them; otherwise null.</summary>
    public virtual GuestUnixMode? UnixMode => null;

    /// <summary>Where a symbolic link leads, with slashes; text as <see cref="Name"/> is. Untrusted.</summary>
    /// <exception cref="GuestException">It isn't a link, or the reader doesn't report it.</exception>
    public virtual string LinkTarget => throw new GuestException("it is not a link");

    /// <summary>
    /// What distinguishes an entry from all others of its file system, whatever names lead to it: compare it by <see cref="object.Equals(object)"/>, and
    /// don't show it. Null if that can't be known.
    /// </summary>
    public virtual object? Identity => null;

    /// <summary>Whether its file system keeps names as bytes, which needn't be text: they are shown as <see cref="GuestText"/> says.</summary>
    internal virtual bool HasByteNames => false;

    /// <summary>Whether its file system ignores the case of names.</summary>
    internal virtual bool IgnoresCase => false;

    /// <summary>Opens a file's content: readable and seekable, with its own cursor.</summary>
    /// <exception cref="GuestException">It isn't a file, or its content can't be read.</exception>
    public Stream Open() => Content().OpenStream();

    /// <summary>Copies a file's content to a stream, all of it or with an exception.</summary>
    /// <param name="destination">Receives the bytes; after an error it has some or all of the bytes before it.</param>
    /// <param name="progress">Receives, after each piece, how many bytes are done; may be null.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    /// <exception cref="GuestException">It isn't a file, or its content can't be read to its end.</exception>
    /// <exception cref="Qcow2Exception">The image can't be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public void CopyContentTo(Stream destination, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        FileContent content = Content();
        CopyProgress done = new(progress, content.Length);
        byte[] buffer = new byte[Math.Clamp(content.Length, 1, FileContent.PieceLength)];
        foreach (ContentPiece piece in content.Pieces(buffer, cancellationToken))
        {
            for (long at = 0; at < piece.Length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = (int)Math.Min(buffer.Length, piece.Length - at);
                if (piece.IsHole)
                {
                    buffer.AsSpan(0, count).Clear();
                }

                destination.Write(buffer, 0, count);
                done.Add(count);
                at += count;
            }
        }
    }

    /// <summary>
    /// What a directory holds, without <c>.</c> and <c>..</c>, in the order of the file system; lazily. If the directory is damaged, the entries
    /// before the damage come before the exception.
    /// </summary>
    /// <exception cref="GuestException">It isn't a directory, it can't be read, or it has more than <see cref="GuestOptions.MaxDirectoryEntries"/>.</exception>
    public IEnumerable<GuestEntry> EnumerateChildren() => Kind == GuestEntryKind.Directory
        ? Limited(ReadDirectory())
        : throw new GuestException($"it is {Describe(Kind)}");

    /// <summary>The child of a directory by its name: exactly or, where the file system ignores case, but for case.</summary>
    /// <param name="name">One name, not a path.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="GuestException">It isn't a directory, or it can't be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public GuestEntry? FindChild(string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Kind == GuestEntryKind.Directory ? FindInDirectory(name, cancellationToken) : throw new GuestException($"it is {Describe(Kind)}");
    }

    /// <summary>
    /// Everything below a directory, lazily: parents before their children, names of one directory in ordinal order, links not followed. The
    /// walk always ends, even on a damaged file system.
    /// </summary>
    /// <param name="onFault">
    /// Receives what can't be read, which is left out; the walk continues. Null: the first fault ends the walk with its exception.
    /// </param>
    /// <param name="maxLevels">How many levels of directories are listed: 1 for this one alone, by default all.</param>
    /// <param name="cancellationToken">Ends the walk, between one entry and the next.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLevels"/> is less than 1.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public IEnumerable<GuestTreeEntry> EnumerateTree(
        Action<GuestFault>? onFault = null, int maxLevels = int.MaxValue, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLevels, 1);
        return new TreeWalk(new Faults(onFault), cancellationToken, maxLevels).Below(this).Select(step => new GuestTreeEntry(step.Path, step.Entry));
    }

    /// <summary>
    /// Copies the entry, and everything below it, to the host. Whatever names and links the guest holds, nothing is written outside
    /// <paramref name="destination"/>, and nothing that exists is overwritten or followed: a name is one component of a path or is refused, and on Linux
    /// and macOS everything is done with that one name in a directory that is open. Links stay links; times and permissions are kept, owners are not, nor the set-user-id, set-group-id
    /// and sticky bits; zeros become holes; devices, pipes and sockets are left out and counted.
    /// </summary>
    /// <param name="destination">
    /// The path that the entry gets, in a directory that exists. Nothing may be there yet; for a directory, a directory of the host may, which is then
    /// filled. A link isn't followed there, for a guest may have made it (to fill the directory that it leads to, add a slash).
    /// </param>
    /// <param name="options">How to copy; null for the defaults.</param>
    /// <param name="progress">
    /// Receives, after each piece, how many bytes of files' content are done, and how many there are; may be null. For the total, the tree is walked
    /// once before the copy.
    /// </param>
    /// <param name="cancellationToken">
    /// Ends the copy. Complete files stay, half a file does not; directories may be without their times and permissions.
    /// </param>
    /// <exception cref="GuestException">
    /// Something can't be read, and <see cref="GuestCopyOptions.OnFault"/> is null; or there is more than <see cref="GuestCopyOptions.MaxBytes"/>.
    /// </exception>
    /// <exception cref="Qcow2Exception">The image can't be read, and <see cref="GuestCopyOptions.OnFault"/> is null.</exception>
    /// <exception cref="IOException">The content of a file can't be written, perhaps because the disk is full.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public GuestCopyResult CopyTo(
        string destination,
        GuestCopyOptions? options = null,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(destination);
        (string directory, string name) = HostDirectory.Split(destination);
        return Copy(directory, HostEntryName.OfHost(name), options, progress, cancellationToken);
    }

    /// <summary>As <see cref="CopyTo"/>, into a directory of the host, under a name of the guest's.</summary>
    /// <param name="directory">A directory of the host, which exists; a link to one is followed.</param>
    /// <param name="name">The name that the entry gets there, as <see cref="Name"/> gives it; on Linux and macOS it becomes the same bytes.</param>
    /// <param name="options">How to copy; null for the defaults.</param>
    /// <param name="progress">As for <see cref="CopyTo"/>.</param>
    /// <param name="cancellationToken">Ends the copy, as for <see cref="CopyTo"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> can't be one name on this system.</exception>
    public GuestCopyResult CopyInto(
        string directory,
        string name,
        GuestCopyOptions? options = null,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(name);
        return HostName.Fault(name) is { } fault
            ? throw new ArgumentException(fault, nameof(name))
            : Copy(directory, new HostEntryName(name, BytesOf(name)), options, progress, cancellationToken);
    }

    internal byte[] BytesOf(string text) => HasByteNames ? GuestText.ToBytes(text) : Encoding.UTF8.GetBytes(text);

    /// <summary>A file's content by position.</summary>
    /// <exception cref="GuestException">It isn't a file, or its content can't be read.</exception>
    internal FileContent Content() => Kind == GuestEntryKind.File
        ? OpenContent()
        : throw new GuestException($"it is {Describe(Kind)}");

    /// <summary>Opens the content of what is a file.</summary>
    internal abstract FileContent OpenContent();

    /// <summary>Reads what is a directory.</summary>
    internal abstract IEnumerable<GuestEntry> ReadDirectory();

    /// <summary>Finds a name in what is a directory. Where directories are sorted by their names, not all of it is read for that.</summary>
    internal virtual GuestEntry? FindInDirectory(string name, CancellationToken cancellationToken)
    {
        GuestEntry? similar = null;
        foreach (GuestEntry child in EnumerateChildren())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (child.Name == name)
            {
                return child;
            }

            if (IgnoresCase && similar is null && child.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                similar = child;
            }
        }

        return similar;
    }

    private GuestCopyResult Copy(
        string directory, HostEntryName name, GuestCopyOptions? options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        TreeCopy copy = new(options ?? GuestCopyOptions.Default, CopyProgress.Of(this, progress, cancellationToken), cancellationToken);
        using HostDirectory parent = HostDirectory.Open(directory);
        return copy.Copy(this, parent, name);
    }

    private IEnumerable<GuestEntry> Limited(IEnumerable<GuestEntry> children)
    {
        int count = 0;
        foreach (GuestEntry child in children)
        {
            yield return ++count <= _options.MaxDirectoryEntries
                ? child
                : throw new GuestException($"it has more than {_options.MaxDirectoryEntries} entries: {nameof(GuestOptions)}.{nameof(GuestOptions.MaxDirectoryEntries)} allows more");
        }
    }

    private static string Describe(GuestEntryKind kind) => kind switch
    {
        GuestEntryKind.File => "a file",
        GuestEntryKind.Directory => "a directory",
        GuestEntryKind.Link => "a link",
        _ => "a device, pipe or socket",
    };
}
