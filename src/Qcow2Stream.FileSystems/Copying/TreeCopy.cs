using Qcow2Stream.FileSystems.Entries;
using Shared;

namespace Qcow2Stream.FileSystems.Copying;

/// <summary>
/// Copies files and trees of the guest to the host. Whatever names and links the guest holds, nothing is written outside
/// the destination: a name is one component or is refused, everything is done with that one name in a directory that is open, and nothing that
/// exists is followed or overwritten.
/// </summary>
/// <param name="options">What to do about faults, and where to stop.</param>
/// <param name="progress">Counts the bytes.</param>
/// <param name="cancellationToken">Ends the copy.</param>
internal sealed class TreeCopy(GuestCopyOptions options, CopyProgress progress, CancellationToken cancellationToken)
{
    // What a file of the guest may be on the host: no set-user-id of a stranger's making.
    private const UnixFileMode KeptPermissions =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly Faults _faults = new(options.OnFault);
    private readonly byte[] _buffer = new byte[FileContent.PieceLength];

    // The directories that are being filled, but for the top one if that existed.
    private readonly Stack<(GuestEntry Entry, string Path)> _made = [];
    private int _files;
    private int _directories;
    private int _links;
    private int _specialFiles;
    private long _stored;

    /// <summary>Copies an entry and all below it.</summary>
    /// <param name="source">The entry.</param>
    /// <param name="parent">Where it goes.</param>
    /// <param name="name">What it is called there: nothing yet, or, for a directory, a directory of the host.</param>
    public GuestCopyResult Copy(GuestEntry source, HostDirectory parent, HostEntryName name)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (source.Kind != GuestEntryKind.Directory)
        {
            CopyOne(source, path: "", parent, name);
        }
        else if (parent.HasDirectory(name))
        {
            CopyTree(source, parent.Enter(name), isNew: false);
        }
        else
        {
            HostDirectory? made = null;
            if (Try("", () => made = parent.Make(name)))
            {
                _directories++;
                CopyTree(source, made!, isNew: true);
            }
        }

        return new GuestCopyResult
        {
            Files = _files,
            Directories = _directories,
            Links = _links,
            SpecialFiles = _specialFiles,
            Bytes = progress.Done,
            Faults = _faults.Count,
        };
    }

    private void CopyTree(GuestEntry source, HostDirectory top, bool isNew)
    {
        using HostPath host = new(top);
        bool entered = false;
        foreach (WalkStep step in new TreeWalk(_faults, cancellationToken).Below(source, _ => entered))
        {
            while (host.Depth > step.Depth)
            {
                Leave(host);
            }

            entered = false;
            if (HostName.Fault(step.Entry.Name) is { } fault)
            {
                _faults.Report(step.Path, new GuestException(fault));
            }
            else if (step.Entry.Kind != GuestEntryKind.Directory)
            {
                CopyOne(step.Entry, step.Path, host.Last, HostEntryName.Of(step.Entry));
            }
            else if (Try(step.Path, () => host.Make(HostEntryName.Of(step.Entry))))
            {
                _directories++;
                _made.Push((step.Entry, step.Path));
                entered = true;
            }
        }

        while (host.Depth > 0)
        {
            Leave(host);
        }

        if (isNew)
        {
            Try("", () => Finish(source, top));
        }
    }

    /// <summary>Finishes a directory when it is full: one without write permission could not be filled.</summary>
    private void Leave(HostPath host)
    {
        (GuestEntry entry, string path) = _made.Pop();
        Try(path, () => Finish(entry, host.Last));
        host.Leave();
    }

    private void CopyOne(GuestEntry entry, string path, HostDirectory directory, HostEntryName name)
    {
        switch (entry.Kind)
        {
            case GuestEntryKind.Link:
                _links += Try(path, () => directory.CreateLink(name, TargetOf(entry))) ? 1 : 0;
                break;
            case GuestEntryKind.Special:
                _specialFiles++;
                break;
            default:
                CopyFile(entry, path, directory, name);
                break;
        }
    }

    private static HostEntryName TargetOf(GuestEntry link) => link.LinkTarget is var target && !target.Contains('\0', StringComparison.Ordinal)
        ? new HostEntryName(target, link.BytesOf(target))
        : throw new GuestException("its target holds a character that no path may hold");

    private void CopyFile(GuestEntry entry, string path, HostDirectory directory, HostEntryName name)
    {
        FileContent? content = null;
        FileStream? file = null;
        if (!Try(path, () => content = entry.Content()) || !Try(path, () => file = directory.CreateFile(name)))
        {
            return;
        }

        bool complete = false;
        try
        {
            using (file)
            {
                complete = Try(path, () => SparseWriter.SetLength(file!, content!.Length)) && CopyContent(content!, path, file!);
                if (complete)
                {
                    _files++;
                    Try(path, () => Finish(entry, file!));
                }
            }
        }
        finally
        {
            // No half of a file stays, whether the guest could not be read or the host not be written.
            if (!complete)
            {
                directory.DeleteFile(name);
            }
        }
    }

    /// <returns>Whether all of it could be read. What the host or the receiver of the progress throws ends the copy.</returns>
    private bool CopyContent(FileContent content, string path, FileStream file)
    {
        SparseWriter writer = new(file);
        using IEnumerator<ContentPiece> pieces = content.Pieces(_buffer, cancellationToken).GetEnumerator();
        while (true)
        {
            bool more = false;
            if (!Try(path, () => more = pieces.MoveNext()))
            {
                return false;
            }

            if (!more)
            {
                Write(path, () => writer.Finish(content.Length));
                return true;
            }

            ContentPiece piece = pieces.Current;
            if (piece.IsHole)
            {
                writer.SkipTo(piece.Offset + piece.Length);
            }
            else
            {
                Write(path, () => writer.Write(_buffer.AsSpan(0, (int)piece.Length)));
                _stored += piece.Length;
            }

            progress.Add(piece.Length);
            if (_stored > options.MaxBytes)
            {
                throw new GuestException($"more than {options.MaxBytes} bytes are copied: {nameof(GuestCopyOptions)}.{nameof(GuestCopyOptions.MaxBytes)} allows more");
            }
        }
    }

    /// <summary>Writes to the host. What it can't take ends the copy: so will what follows.</summary>
    private static void Write(string path, Action write)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            throw new IOException($"{(path.Length == 0 ? "the file" : PrintableText.Escape(path))} can't be written: {e.Message}", e);
        }
    }

    private static void Finish(GuestEntry entry, HostDirectory directory) => directory.Finish(PermissionsOf(entry), TimeOf(entry));

    private static void Finish(GuestEntry entry, FileStream file)
    {
        if (!OperatingSystem.IsWindows() && PermissionsOf(entry) is { } permissions)
        {
            File.SetUnixFileMode(file.SafeFileHandle, permissions);
        }

        if (TimeOf(entry) is { } time)
        {
            File.SetLastWriteTimeUtc(file.SafeFileHandle, time);
        }
    }

    private static UnixFileMode? PermissionsOf(GuestEntry entry) => entry.UnixMode?.Permissions & KeptPermissions;

    private static DateTime? TimeOf(GuestEntry entry) => entry.ModifiedUtc is var time && time > DateTime.UnixEpoch ? time : null;

    /// <summary>Does one thing; what keeps it from being done is reported, and isn't a reason to stop.</summary>
    private bool Try(string path, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            _faults.Report(path, e);
            return false;
        }
    }
}
