using Qcow2Stream.FileSystems.Entries;
using Shared;

namespace Qcow2Stream.FileSystems.Copying;

/// <summary>
/// Copies files and trees of the guest to the host. Whatever names and links the guest holds, nothing is written outside
/// the destination: a name is one component or is refused, and everything on the way to a file was made here, as a
/// directory, a moment ago: nothing that exists is entered, followed or overwritten.
/// </summary>
/// <param name="faults">Receives what can't be copied; the rest is.</param>
/// <param name="progress">Counts the bytes.</param>
/// <param name="cancellationToken">Ends the copy.</param>
internal sealed class TreeCopy(Faults faults, CopyProgress progress, CancellationToken cancellationToken)
{
    // What a file of the guest may be on the host: no set-user-id of a stranger's making.
    private const UnixFileMode KeptPermissions =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const UnixFileMode WhileWritten = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly List<(GuestEntry Entry, string Path, string Target)> _directories = [];
    private int _files;
    private int _links;
    private int _specialFiles;

    /// <summary>Copies an entry and all below it.</summary>
    /// <param name="source">The entry.</param>
    /// <param name="destination">Where it goes: nothing yet, or, for a directory, a directory of the host.</param>
    public GuestCopyResult Copy(GuestEntry source, string destination)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (source.Kind != GuestEntryKind.Directory)
        {
            CopyOne(source, path: "", destination);
        }
        else if (Directory.Exists(destination) || MakeDirectory(source, path: "", destination))
        {
            CopyTree(source, destination);
        }

        return new GuestCopyResult
        {
            Files = _files,
            Directories = _directories.Count,
            Links = _links,
            SpecialFiles = _specialFiles,
            Bytes = progress.Done,
            Faults = faults.Count,
        };
    }

    private void CopyTree(GuestEntry source, string destination)
    {
        HashSet<string> made = [];
        foreach ((string path, GuestEntry entry) in new TreeWalk(faults, cancellationToken).Below(source, made.Remove))
        {
            if (HostName.Fault(entry.Name) is { } fault)
            {
                faults.Report(path, new GuestException(fault));
            }
            else if (entry.Kind != GuestEntryKind.Directory)
            {
                CopyOne(entry, path, destination + path);
            }
            else if (MakeDirectory(entry, path, destination + path))
            {
                made.Add(path);
            }
        }

        // Last, for a directory without write permission must be filled first; children before their parents.
        for (int i = _directories.Count - 1; i >= 0; i--)
        {
            (GuestEntry entry, string path, string target) = _directories[i];
            Try(path, () => Finish(entry, target));
        }
    }

    private void CopyOne(GuestEntry entry, string path, string target)
    {
        switch (entry.Kind)
        {
            case GuestEntryKind.Link:
                _links += Try(path, () => File.CreateSymbolicLink(target, entry.LinkTarget)) ? 1 : 0;
                break;
            case GuestEntryKind.Special:
                _specialFiles++;
                break;
            default:
                CopyFile(entry, path, target);
                break;
        }
    }

    private bool MakeDirectory(GuestEntry entry, string path, string target) => Try(path, () =>
    {
        if (new FileInfo(target) is { Exists: true } or { LinkTarget: not null } || Directory.Exists(target))
        {
            throw new IOException($"'{target}' already exists");
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(target);
        }
        else
        {
            Directory.CreateDirectory(target, WhileWritten | UnixFileMode.UserExecute);
        }

        _directories.Add((entry, path, target));
    });

    private void CopyFile(GuestEntry entry, string path, string target)
    {
        FileStream? file = null;
        if (!Try(path, () => file = Create(target)))
        {
            return;
        }

        bool complete = false;
        try
        {
            using (file)
            {
                SparseWriter writer = new(file!);
                entry.Content().ReadAll(
                    piece =>
                    {
                        writer.Write(piece.Span);
                        progress.Add(piece.Length);
                    },
                    cancellationToken);
                writer.Finish();
            }

            complete = true;
            _files++;
            Finish(entry, target);
        }
        catch (Exception e) when (e is GuestException or Qcow2Exception)
        {
            faults.Report(path, e);
        }
        finally
        {
            // No half of a file stays, whether the guest could not be read or the host not be written.
            if (!complete)
            {
                File.Delete(target);
            }
        }
    }

    private static FileStream Create(string target)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = WhileWritten;
        }

        return new FileStream(target, options);
    }

    /// <summary>Gives a file or directory the guest's time and permissions.</summary>
    private static void Finish(GuestEntry entry, string target)
    {
        if (!OperatingSystem.IsWindows() && entry.UnixMode is { } mode)
        {
            File.SetUnixFileMode(target, mode.Permissions & KeptPermissions);
        }

        if (entry.ModifiedUtc is var time && time > DateTime.UnixEpoch)
        {
            File.SetLastWriteTimeUtc(target, time);
        }
    }

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
            faults.Report(path, e);
            return false;
        }
    }
}
