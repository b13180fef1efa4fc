using Shared;

namespace Qcow2Stream.Cli.Guest.Copying;

/// <summary>
/// Copies files and trees of the guest to the host. Whatever names and links the guest holds, nothing is written outside
/// the destination: a name is one component or is refused, and everything on the way to a file was made here, as a
/// directory, a moment ago: nothing that exists is entered, followed or overwritten.
/// </summary>
/// <param name="faults">Is told what can't be copied; the rest is.</param>
/// <param name="progress">Is told how many bytes more are done.</param>
internal sealed class GuestCopy(GuestFaults faults, Action<long> progress)
{
    // What a file of the guest may be on the host: no set-user-id of a stranger's making.
    private const UnixFileMode KeptPermissions =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const UnixFileMode WhileWritten = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly List<(string Path, GuestEntry Entry)> _directories = [];

    /// <summary>How many devices, pipes and sockets were met, which are not copied.</summary>
    public int SpecialFiles { get; private set; }

    /// <summary>Copies an entry and all below it.</summary>
    /// <param name="source">The entry.</param>
    /// <param name="path">Its path in the guest, for messages.</param>
    /// <param name="destination">Where it goes: nothing yet, or, for a directory, a directory of the host.</param>
    public void Copy(GuestEntry source, string path, string destination)
    {
        if (source.Kind != GuestEntryKind.Directory)
        {
            CopyOne(source, path, destination);
            return;
        }

        string prefix = path.TrimEnd('/');
        if (!Directory.Exists(destination) && !MakeDirectory(source, path, destination))
        {
            return;
        }

        HashSet<string> made = [];
        GuestWalk walk = new((below, message) => faults.Report(prefix + below, message));
        foreach ((string below, GuestEntry entry) in walk.Below(source, made.Remove))
        {
            if (HostName.Fault(entry.Name) is { } fault)
            {
                faults.Report(prefix + below, fault);
            }
            else if (entry.Kind != GuestEntryKind.Directory)
            {
                CopyOne(entry, prefix + below, destination + below);
            }
            else if (MakeDirectory(entry, prefix + below, destination + below))
            {
                made.Add(below);
            }
        }

        // Last, for a directory without write permission must be filled first; children before their parents.
        for (int i = _directories.Count - 1; i >= 0; i--)
        {
            Try(_directories[i].Path, () => Finish(_directories[i].Entry, _directories[i].Path));
        }
    }

    private void CopyOne(GuestEntry entry, string path, string target)
    {
        switch (entry.Kind)
        {
            case GuestEntryKind.Link:
                Try(path, () => File.CreateSymbolicLink(target, entry.LinkTarget));
                break;
            case GuestEntryKind.Special:
                SpecialFiles++;
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

        _directories.Add((target, entry));
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
                GuestFile.Read(entry, bytes =>
                {
                    writer.Write(bytes.Span);
                    progress(bytes.Length);
                });
                writer.Finish();
            }

            complete = true;
            Finish(entry, target);
        }
        catch (Exception e) when (e is GuestException or Qcow2Exception)
        {
            faults.Report(path, e.Message);
        }
        finally
        {
            // No half of a file stays behind, whether the guest could not be read or the host not be written.
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
        if (!OperatingSystem.IsWindows() && entry.Mode is { } mode)
        {
            File.SetUnixFileMode(target, mode.Permissions & KeptPermissions);
        }

        if (entry.ModifiedUtc is var time && time > DateTime.UnixEpoch)
        {
            File.SetLastWriteTimeUtc(target, time);
        }
    }

    /// <summary>Does one thing; what keeps this one from being done is reported, and is no reason to stop.</summary>
    private bool Try(string path, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            faults.Report(path, e.Message);
            return false;
        }
    }
}
