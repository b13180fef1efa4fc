using System.Net.Http.Headers;

namespace Qcow2Stream.IO.Http;

/// <summary>Which version of a file a server has, as far as it tells (RFC 9110, sections 8.8 and 13.1.5).</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Tag">Its entity tag.</param>
/// <param name="LastModified">When it was changed last.</param>
internal sealed record RemoteVersion(long Length, EntityTagHeaderValue? Tag, DateTimeOffset? LastModified)
{
    /// <summary>What makes the server send the whole of another version in place of a range of it; null if nothing does.</summary>
    public RangeConditionHeaderValue? Condition =>
        Tag is { IsWeak: false } tag ? new(tag)
        : LastModified is { } date ? new(date)
        : null;

    /// <summary>
    /// Whether an answer is of this version. One to a conditional request may leave out what the condition settles; what
    /// it says must agree, also where a server knows no conditions.
    /// </summary>
    public bool Agrees(RemoteVersion answer) =>
        Length == answer.Length
        && (Tag is null || answer.Tag is null || Tag.Equals(answer.Tag))
        && (LastModified is null || answer.LastModified is null || LastModified == answer.LastModified);
}
