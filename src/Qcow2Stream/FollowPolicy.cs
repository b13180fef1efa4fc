using Qcow2Stream.HostFiles;

namespace Qcow2Stream;

/// <summary>
/// Decides which of the files that an image names (backing files, data files) are opened. The author of an image chooses those
/// names, so nothing outside what the policy allows is opened, or even looked at. For an image from a stream, or from a
/// caller's own <see cref="HostFile"/> class, only a resolver opens files. Immutable and safe for any number of threads.
/// </summary>
public sealed class FollowPolicy
{
    private FollowPolicy(string description)
    {
        Description = description;
    }

    /// <summary>Opens no file that an image names: a chain of one layer.</summary>
    public static FollowPolicy None { get; } = new("FollowPolicy.None");

    /// <summary>
    /// Opens regular files in the directory of the image that names them, or below it. Links are followed as long
    /// as they stay there. For an image on a web server: files on that server (its scheme, host and port), in that directory
    /// or below, redirects included. The default for images opened by path or address.
    /// </summary>
    public static FollowPolicy SameDirectory { get; } = new("FollowPolicy.SameDirectory") { FollowsOwnDirectory = true };

    /// <summary>
    /// Opens any regular file by whatever name the image gives, as QEMU does. For images from people who may read
    /// every file that this process may read. Images on disk can't name servers. Images on servers can't name files of this
    /// host, but can name any server that this process can reach.
    /// </summary>
    public static FollowPolicy Trusted { get; } = new("FollowPolicy.Trusted") { IsTrusted = true };

    internal bool FollowsOwnDirectory { get; private init; }

    internal bool IsTrusted { get; private init; }

    /// <summary>The directories whose files may be opened, as full paths.</summary>
    internal IReadOnlyList<string> Roots { get; private init; } = [];

    /// <summary>The directories of servers whose files may be opened.</summary>
    internal IReadOnlyList<Uri> AddressRoots { get; private init; } = [];

    internal Func<NamedFile, HostFile?>? Resolver { get; private init; }

    /// <summary>Opens a file by the naming image's path and the name, where names are looked up elsewhere than in the host's file system.</summary>
    internal Func<string, string, HostFile>? Locate { get; private init; }

    internal string Description { get; }

    /// <summary><see cref="SameDirectory"/> for images that are not files of the host: decided by the names alone.</summary>
    /// <param name="locate">Gets the naming image's path and the name, which has been checked as all file names are.</param>
    internal static FollowPolicy Through(Func<string, string, HostFile> locate) =>
        new("FollowPolicy.SameDirectory") { FollowsOwnDirectory = true, Locate = locate };

    /// <summary>Opens regular files in any of the given directories, or below them, and no others.</summary>
    /// <param name="directories">One or more directories; relative ones are taken from the current directory now.</param>
    /// <exception cref="ArgumentException">No directory is given, or one is empty.</exception>
    public static FollowPolicy Directories(params IEnumerable<string> directories)
    {
        ArgumentNullException.ThrowIfNull(directories);
        string[] roots = [.. directories.Select(Path.GetFullPath)];
        return roots.Length > 0
            ? new FollowPolicy($"FollowPolicy.Directories({string.Join(", ", roots)})") { Roots = roots }
            : throw new ArgumentException("At least one directory is needed.", nameof(directories));
    }

    /// <summary>
    /// Opens files of web servers at any of the given addresses, or below them, and no others, if named by images that are on
    /// servers themselves. Where one of these servers redirects, the address it redirects to must be allowed too, but may have a query.
    /// </summary>
    /// <param name="directories">One or more absolute addresses, http or https, without a query. What follows the last slash is left out.</param>
    /// <exception cref="ArgumentException">No address is given, or one is not of this kind.</exception>
    public static FollowPolicy Addresses(params IEnumerable<Uri> directories)
    {
        ArgumentNullException.ThrowIfNull(directories);
        Uri[] roots = [.. directories];
        if (roots.Length == 0 || !roots.All(r => r.IsAbsoluteUri && r.Scheme is "http" or "https" && r.Query.Length == 0))
        {
            throw new ArgumentException("At least one address is needed; they must be absolute, of http or https, and without a query.", nameof(directories));
        }

        return new FollowPolicy($"FollowPolicy.Addresses({string.Join(", ", roots.Select(r => r.AbsoluteUri))})")
        {
            AddressRoots = [.. roots.Select(r => new Uri(r, "."))],
        };
    }

    /// <summary>Opens what any of the given policies opens, as <c>AnyOf(SameDirectory, Addresses(mirror))</c> does.</summary>
    /// <param name="policies">
    /// One or more; each is <see cref="SameDirectory"/>, or of <see cref="Directories"/>, <see cref="Addresses"/> or this method.
    /// </param>
    /// <exception cref="ArgumentException">No policy is given, or one that can't be combined: that opens nothing, anything, or what a resolver says.</exception>
    public static FollowPolicy AnyOf(params IEnumerable<FollowPolicy> policies)
    {
        ArgumentNullException.ThrowIfNull(policies);
        FollowPolicy[] all = [.. policies];
        if (all.Length == 0 || !all.All(p => p is { Locate: null } && (p.FollowsOwnDirectory || p.Roots.Count > 0 || p.AddressRoots.Count > 0)))
        {
            throw new ArgumentException(
                "At least one policy is needed; each must be of SameDirectory, Directories(...), Addresses(...) or AnyOf(...).", nameof(policies));
        }

        return new FollowPolicy($"FollowPolicy.AnyOf({string.Join(", ", all.Select(p => p.Description))})")
        {
            FollowsOwnDirectory = all.Any(p => p.FollowsOwnDirectory),
            Roots = [.. all.SelectMany(p => p.Roots)],
            AddressRoots = [.. all.SelectMany(p => p.AddressRoots)],
        };
    }

    /// <summary>Leaves every decision, and the opening, to the caller.</summary>
    /// <param name="resolver">
    /// Gets the name as recorded in the image (of a <c>json:</c> name that is understood, the file inside), and returns a readable and seekable stream, which the chain then owns,
    /// or null to refuse. Called once per layer, while the chain is opened.
    /// </param>
    public static FollowPolicy FromResolver(Func<NamedFile, Stream?> resolver)
    {
        ArgumentNullException.ThrowIfNull(resolver);
        return new FollowPolicy("FollowPolicy.FromResolver")
        {
            Resolver = file => resolver(file) is { } stream ? StreamHostFile.Of(stream, leaveOpen: false) : null,
        };
    }

    /// <inheritdoc cref="FromResolver"/>
    /// <param name="resolver">
    /// As for <see cref="FromResolver"/>, but returns a file of any kind: <see cref="HostFile.FromUri"/>, or one of the
    /// caller's own class.
    /// </param>
    public static FollowPolicy FromFileResolver(Func<NamedFile, HostFile?> resolver)
    {
        ArgumentNullException.ThrowIfNull(resolver);
        return new FollowPolicy("FollowPolicy.FromFileResolver") { Resolver = resolver };
    }
}
