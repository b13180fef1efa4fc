using Qcow2Stream.HostFiles;
using Qcow2Stream.HostFiles.Http;
using Shared;

namespace Qcow2Stream.Opening;

/// <summary>
/// The one door through which a file that an image names is opened. The name is checked first; only then is the file
/// system asked, and links are followed step by step, so that nothing outside the allowed directories is touched.
/// </summary>
internal static class FileGate
{
    // Linux's own limit.
    private const int MaxLinks = 40;

    private const string HowToAllow =
        "Follow = FollowPolicy.Directories(...) or FollowPolicy.Trusted; "
        + "for more than one place: Follow = FollowPolicy.AnyOf(FollowPolicy.SameDirectory, FollowPolicy.Directories(...))";

    private const string HowToAllowWithoutADirectory = "Follow = FollowPolicy.FromFileResolver(...) or FollowPolicy.FromResolver(...)";

    private const string HowToAllowAny = "Follow = FollowPolicy.SameDirectory";

    /// <summary>
    /// The policy where the caller gives none: an image opened by its path or address has a directory; one of a stream, or of a
    /// caller's own kind of file, has none.
    /// </summary>
    public static FollowPolicy DefaultFor(HostFile top) =>
        top.Underlying is PathHostFile or HttpHostFile ? FollowPolicy.SameDirectory : FollowPolicy.None;

    /// <summary>Opens the file that <paramref name="image"/> names.</summary>
    /// <param name="policy">The caller's choice.</param>
    /// <param name="image">The image that names it.</param>
    /// <param name="recordedName">The name's bytes.</param>
    /// <param name="isLiteral">Whether the name has no protocol.</param>
    /// <param name="file">What a resolver gets.</param>
    /// <exception cref="RefusedException">The policy or the name forbids it.</exception>
    /// <exception cref="IOException">It can't be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">Access is denied by the host.</exception>
    public static HostFile Open(FollowPolicy policy, HostFile image, ReadOnlySpan<byte> recordedName, bool isLiteral, NamedFile file)
    {
        if (policy.Resolver is { } resolver)
        {
            return resolver(file) ?? throw new RefusedException($"the caller's resolver ({policy.Description}) refused it");
        }

        if (ReferenceEquals(policy, FollowPolicy.None))
        {
            throw new RefusedException(
                $"no file that an image names is opened (to allow it: {HowToAllowAny})", HowToAllowAny);
        }

        if (image.Underlying is HttpHostFile remote)
        {
            return UrlGate.Open(policy, remote, recordedName, isLiteral);
        }

        string? fault = isLiteral
            ? FileName.JudgeLiteral(recordedName, out string name)
            : FileName.Judge(recordedName, file.Kind, out name);
        if (OperatingSystem.IsWindows() && policy.Locate is null)
        {
            fault ??= WindowsName.Judge(name, allowsServers: policy.IsTrusted);
        }

        if (fault is not null)
        {
            throw new RefusedException(fault);
        }

        if (policy.Locate is { } locate)
        {
            return locate(image.Path!, name);
        }

        // A name from the root on needs no directory. But the path of a file of the caller's own kind may only look like one, and a
        // policy for files of this host would then apply to anyone who writes to its store.
        if (image.HostDirectory is not { } directory && !(image.Underlying is PathHostFile && Path.IsPathFullyQualified(name)))
        {
            throw new RefusedException(
                "the image that names it has no directory on this host: it was opened from a stream, through a name such as /dev/stdin, "
                + "or from a file of the caller's own kind "
                + $"(to open what it names: {HowToAllowWithoutADirectory})",
                HowToAllowWithoutADirectory);
        }

        string path = Path.Combine(image.HostDirectory ?? "", name);
        if (policy.IsTrusted)
        {
            return PathHostFile.Open(path);
        }

        List<AllowedDirectory> roots = [.. policy.Roots.Select(r => new AllowedDirectory(r, OnlyDirectly: false))];
        if (policy.FollowsOwnDirectory && image.HostDirectory is not null)
        {
            roots.Insert(0, AllowedDirectory.Of(image));
        }

        (string root, string relative) = Resolve(image.HostDirectory ?? "", name, roots);
        return PathHostFile.OpenBelow(root, relative, displayPath: path);
    }

    /// <summary>
    /// Returns what <paramref name="name"/> leads to, links resolved: in which of the roots, and where there; refuses where that
    /// leaves them.
    /// </summary>
    private static (string Root, string Relative) Resolve(string directory, string name, List<AllowedDirectory> roots)
    {
        // The directory and the roots were chosen by the caller, and may be reached through links.
        string at = Path.GetFullPath(Path.IsPathRooted(name) ? Path.GetPathRoot(name)! : directory.Length == 0 ? "." : directory);
        Stack<string> ahead = new();
        Push(ahead, OperatingSystem.IsWindows() ? Path.GetRelativePath(at, Path.GetFullPath(name, at)) : name);
        int links = 0;
        while (ahead.TryPop(out string? component))
        {
            string next = Path.GetFullPath(component, at);

            // What lies outside isn't looked at.
            if (component is not ("." or "..") && RootOf(next, roots) is not null && new FileInfo(next).LinkTarget is { } target)
            {
                if (++links > MaxLinks)
                {
                    throw new RefusedException("too many links lead to it");
                }

                Push(ahead, target);
                at = Path.IsPathRooted(target) ? Path.GetPathRoot(target)! : at;
                continue;
            }

            at = next;
        }

        return RootOf(at, roots) is { } root ? (root, Path.GetRelativePath(root, at)) : throw new RefusedException(
            (roots.Count > 0
                ? $"it lies outside {string.Join(", ", roots)} "
                : "it is a file of this host, of which none may be opened ")
            + $"(to allow it: {HowToAllow})",
            HowToAllow);
    }

    /// <summary>Puts the components of a path on the stack, the first one on top.</summary>
    private static void Push(Stack<string> ahead, string path)
    {
        foreach (string component in path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries).Reverse())
        {
            ahead.Push(component);
        }
    }

    private static string? RootOf(string full, List<AllowedDirectory> roots)
    {
        int index = roots.FindIndex(r => r.Contains(full));
        return index < 0 ? null : roots[index].Path;
    }
}
