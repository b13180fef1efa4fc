using System.Net.Http.Headers;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>Which version of a file a server has, as far as it says (RFC 9110, sections 8.8 and 13.1.5).</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Tag">Its entity tag.</param>
/// <param name="LastModified">When it was changed last.</param>
/// <param name="IsOld">
/// Whether that was a second or more before the answer. Otherwise the file may change again within that second, and its date
/// doesn't show it (section 8.8.2.2).
/// </param>
internal sealed record RemoteVersion(long Length, EntityTagHeaderValue? Tag, DateTimeOffset? LastModified, bool IsOld)
{
    /// <summary>What makes the server send the whole of another version instead of a range; null if nothing does.</summary>
    public RangeConditionHeaderValue? Condition =>
        Tag is { IsWeak: false } tag ? new(tag)
        : LastModified is { } date && IsOld ? new(date)
        : null;

    /// <summary>
    /// Whether an answer is of this version. One to a conditional request must repeat the tag (section 15.3.7) and may leave
    /// out the date; what it says must agree, even if a server doesn't support conditions.
    /// </summary>
    public bool Agrees(RemoteVersion answer) =>
        Length == answer.Length
        && (Tag is null || (answer.Tag is null ? Tag.IsWeak : Tag.Equals(answer.Tag)))
        && (LastModified is null || answer.LastModified is null || LastModified == answer.LastModified);
}
