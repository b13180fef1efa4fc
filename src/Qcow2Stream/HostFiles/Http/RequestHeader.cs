using System.Buffers;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>Which headers a caller may add to the requests.</summary>
internal static class RequestHeader
{
    // RFC 9110, section 5.6.2: a name is a token.
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // What is asked for, under which condition, in which form and of whom: all of that is decided here.
    private static readonly HashSet<string> Own = new(StringComparer.OrdinalIgnoreCase)
    {
        "Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
        "Accept-Encoding", "Host", "Connection", "Transfer-Encoding", "Upgrade", "Expect", "TE", "Trailer", "Keep-Alive",
    };

    /// <summary>Says what is wrong with a header, without repeating what may be a secret; null if nothing is.</summary>
    public static string? FaultOf(string name, string? value)
    {
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(TokenCharacters))
        {
            return "its name has characters that no header's name has, or none at all";
        }

        if (Own.TryGetValue(name, out string? own))
        {
            return $"{own} is not the caller's to set: it follows from what is read";
        }

        using HttpRequestMessage request = new();
        return !request.Headers.TryAddWithoutValidation(name, "") ? "it describes content, and requests for ranges have none"
            : value is null ? "it has no value"
            : value.Any(c => c is (< ' ' or > '~') and not '\t')
                ? "its value has line breaks, or other characters than those of ASCII that can be printed"
            : null;
    }
}
