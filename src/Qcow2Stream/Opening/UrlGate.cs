using Qcow2Stream.HostFiles.Http;
using Shared;

namespace Qcow2Stream.Opening;

/// <summary>
/// The door through which a file that an image on a web server names is opened. The address is checked before any server is
/// asked, and so is every address that a server redirects to.
/// </summary>
internal static class UrlGate
{
    /// <summary>Opens the file that <paramref name="image"/> names; its server is asked when it is connected.</summary>
    /// <param name="policy">The caller's choice, neither None nor a resolver.</param>
    /// <param name="image">The image that names it.</param>
    /// <param name="recordedName">The name's bytes.</param>
    /// <param name="isLiteral">Whether the name has no protocol.</param>
    /// <exception cref="RefusedException">The policy or the name forbids it.</exception>
    public static HttpHostFile Open(FollowPolicy policy, HttpHostFile image, ReadOnlySpan<byte> recordedName, bool isLiteral)
    {
        Uri target = FileName.JudgeLiteral(recordedName, out string name) is { } fault
            ? throw new RefusedException(fault)
            : TargetOf(image.Uri, name, isLiteral);
        image.Source.Destinations.Choose(policy.AddressRoots);
        return Judge(policy, image.Uri, target, isRedirect: false) is { } outside
            ? throw outside
            : new HttpHostFile(target, image.Source, address => JudgeRedirect(policy, image.Uri, address));
    }

    /// <summary>The address that a name means, as it is shown; null if it can't mean one.</summary>
    public static string? Combine(Uri image, string name)
    {
        try
        {
            return Shown(TargetOf(image, name, isLiteral: false));
        }
        catch (RefusedException)
        {
            return null;
        }
    }

    private static Uri TargetOf(Uri image, string name, bool isLiteral)
    {
        if (!isLiteral && FileName.SchemeOf(name) is { } scheme)
        {
            return (scheme is "http" or "https") && Uri.TryCreate(name, UriKind.Absolute, out Uri? absolute) && absolute.UserInfo.Length == 0
                ? absolute
                : throw new RefusedException(
                    $"names that start with '{PrintableText.Escape(scheme)}:' are not followed from a server; plain names are, and addresses of http and https");
        }

        if (name[0] == '/')
        {
            throw new RefusedException("its name is the path of a file of this host, and the image that names it is on a server");
        }

        // A name is a file's, so a question mark in it isn't a query.
        return new Uri(image, string.Join('/', name.Split('/').Select(part => part is "." or ".." ? part : Uri.EscapeDataString(part))));
    }

    private static RemoteFileException? JudgeRedirect(FollowPolicy policy, Uri image, Uri address) =>
        Judge(policy, image, address, isRedirect: true) is { } refused
            ? new RemoteFileException($"the server redirects: {refused.Message}", hint: refused.Hint)
            : null;

    /// <summary>Says why an address must not be asked, and how to allow it; null if it may be.</summary>
    private static RefusedException? Judge(FollowPolicy policy, Uri image, Uri address, bool isRedirect)
    {
        Uri[] roots = policy.FollowsOwnDirectory ? [new Uri(image, "."), .. policy.AddressRoots] : [.. policy.AddressRoots];
        if (policy.IsTrusted || roots.Any(root => IsInside(root, address, isRedirect)))
        {
            return null;
        }

        string where = roots.Length > 0
            ? string.Join(", ", roots.Select(root => $"'{Shown(root)}'"))
            : $"what {policy.Description} allows";
        string hint = HowToAllow(policy, address, isRedirect);
        return new RefusedException($"'{Shown(address)}' lies outside {where} (to allow it: {hint})", hint);
    }

    private static bool IsInside(Uri root, Uri address, bool isRedirect) =>
        HttpSource.IsSameOrigin(root, address)
        && address.UserInfo.Length == 0

        // An image must not choose what a server does; a server that may be asked knows what its own signed addresses need.
        && (isRedirect || address.Query.Length == 0)
        && address.AbsolutePath.StartsWith(root.AbsolutePath, StringComparison.Ordinal)
        && UrlPath.IsPlain(address.AbsolutePath.AsSpan(root.AbsolutePath.Length));

    /// <summary>What opens this address, and all that was allowed so far.</summary>
    private static string HowToAllow(FollowPolicy policy, Uri address, bool isRedirect)
    {
        const string anything = "Follow = FollowPolicy.Trusted";
        Uri directory = new(address, ".");
        if (!IsInside(directory, address, isRedirect))
        {
            return anything;
        }

        IEnumerable<string> addresses = policy.AddressRoots.Append(directory).Select(root => $"new Uri(\"{Shown(root)}\")");
        string code = $"FollowPolicy.Addresses({string.Join(", ", addresses)})";
        return policy.FollowsOwnDirectory
            ? $"Follow = FollowPolicy.AnyOf(FollowPolicy.SameDirectory, {code}), or {anything}"
            : $"Follow = {code}, or {anything}";
    }

    /// <summary>Without the query, which may be a secret.</summary>
    private static string Shown(Uri address) =>
        PrintableText.Escape(address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped));
}
