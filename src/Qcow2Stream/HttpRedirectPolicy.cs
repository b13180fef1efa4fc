namespace Qcow2Stream;

/// <summary>Where a server may redirect requests for a file to, see <see cref="HttpFileOptions.FollowRedirects"/>.</summary>
public enum HttpRedirectPolicy
{
    /// <summary>To the same server alone: the scheme, host and port of the file's own address.</summary>
    SameOrigin,

    /// <summary>To the same server, and to others at public addresses: not to this host, nor to those that only its network can reach.</summary>
    Public,

    /// <summary>Anywhere, to this host and its network too: for servers that you trust as much as their images.</summary>
    Any,
}
