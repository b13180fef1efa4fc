using System.Net;
using System.Net.Http.Headers;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>What a server answered to a request for a range (RFC 9110, sections 14 and 15).</summary>
/// <param name="Version">The version of the file.</param>
/// <param name="Length">How many bytes of the range the answer holds: at least one, unless the file is empty.</param>
internal readonly record struct RangeAnswer(RemoteVersion Version, long Length)
{
    private const string Changed = "the file changed on its server since it was opened: open it again";

    /// <summary>Judges an answer.</summary>
    /// <param name="response">The answer, its content unread.</param>
    /// <param name="offset">The first byte that was asked for.</param>
    /// <param name="length">How many were.</param>
    /// <param name="opened">The version that was opened; null for the first request.</param>
    /// <exception cref="TransientHttpException">Asking again may help.</exception>
    /// <exception cref="FileNotFoundException">The first request, and there is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The first request, and the server denies access.</exception>
    /// <exception cref="RemoteFileException">All else that is not the range of the version.</exception>
    public static RangeAnswer Judge(HttpResponseMessage response, long offset, long length, RemoteVersion? opened)
    {
        int code = (int)response.StatusCode;
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent:
                return JudgeRange(response, offset, length, opened);
            case HttpStatusCode.OK when opened is null && response.Content.Headers.ContentLength == 0:
            case HttpStatusCode.RequestedRangeNotSatisfiable when opened is null && response.Content.Headers.ContentRange?.Length == 0:
                return new RangeAnswer(VersionOf(response, 0), 0);
            case HttpStatusCode.OK when opened is null:
                throw new RemoteFileException(
                    "the server does not serve ranges of the file (it answered 200, not 206): only a whole download could be read");
            case HttpStatusCode.OK or HttpStatusCode.PreconditionFailed or HttpStatusCode.RequestedRangeNotSatisfiable when opened is not null:
                throw new RemoteFileException(Changed);
            case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                throw opened is null
                    ? new FileNotFoundException($"it does not exist there (the server answered {code})")
                    : new RemoteFileException($"the server has the file no longer (it answered {code})");
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                string denied = $"the server denies access (it answered {code}): credentials are missing, or a signed address has expired";
                throw opened is null ? new UnauthorizedAccessException(denied) : new RemoteFileException(denied);
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
                or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout:
                throw new TransientHttpException($"the server answered {code}", RetryAfter(response));
            default:
                throw new RemoteFileException($"the server answered {code}, which is not an answer to a request for a range");
        }
    }

    private static RangeAnswer JudgeRange(HttpResponseMessage response, long offset, long length, RemoteVersion? opened)
    {
        if (response.Content.Headers.ContentEncoding.Any(e => !e.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            throw new RemoteFileException("the server sends the file in another encoding, though it was asked not to");
        }

        if (response.Content.Headers.ContentRange is not { HasRange: true, Unit: "bytes" } range
            || range.From != offset || range.To < offset || range.To >= offset + length)
        {
            throw new RemoteFileException("the server sends another range than it was asked for");
        }

        if (range.Length is not { } fileLength || range.To >= fileLength)
        {
            throw new RemoteFileException("the server does not say how long the file is");
        }

        RemoteVersion version = VersionOf(response, fileLength);
        if (opened?.Tag is { IsWeak: false } && version.Tag is null)
        {
            throw new RemoteFileException("the server does not repeat the file's ETag, so it is unknown whether the file is still the same");
        }

        return opened is null || opened.Agrees(version)
            ? new RangeAnswer(version, range.To!.Value - offset + 1)
            : throw new RemoteFileException(Changed);
    }

    private static RemoteVersion VersionOf(HttpResponseMessage response, long length)
    {
        DateTimeOffset? lastModified = response.Content.Headers.LastModified;

        // A server without a clock gives no date; then this is when its answer came.
        DateTimeOffset answered = response.Headers.Date ?? DateTimeOffset.UtcNow;
        return new(length, response.Headers.ETag, lastModified, answered - lastModified >= TimeSpan.FromSeconds(1));
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        RetryConditionHeaderValue? asked = response.Headers.RetryAfter;
        TimeSpan? wait = asked?.Delta ?? (asked?.Date is { } date ? date - DateTimeOffset.UtcNow : null);
        return wait is not { } time ? null
            : time < TimeSpan.Zero ? TimeSpan.Zero
            : time > HttpFileOptions.MaxDelay ? HttpFileOptions.MaxDelay
            : time;
    }
}
