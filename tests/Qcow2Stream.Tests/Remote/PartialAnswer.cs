using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Qcow2Stream.Tests.Remote;

/// <summary>An answer to a request for a range, made by hand: for servers that send less than they are asked for.</summary>
internal static class PartialAnswer
{
    /// <summary>Sends some bytes of what was asked for.</summary>
    /// <param name="context">The request.</param>
    /// <param name="content">The whole file.</param>
    /// <param name="count">How many bytes to send at most.</param>
    /// <param name="tag">The version.</param>
    /// <param name="isWhole">Whether the answer says that this is all of it; else it promises what was asked for.</param>
    public static async Task Send(HttpContext context, ReadOnlyMemory<byte> content, int count, string? tag, bool isWhole)
    {
        ServedRequest request = ServedRequest.Of(context.Request);
        int asked = (int)Math.Min(request.Length, content.Length - request.From);
        int sent = Math.Min(count, asked);
        int promised = isWhole ? sent : asked;
        context.Response.StatusCode = 206;
        context.Response.Headers.ContentRange = string.Create(
            CultureInfo.InvariantCulture, $"bytes {request.From}-{request.From + promised - 1}/{content.Length}");
        context.Response.ContentLength = promised;
        context.Response.Headers.ETag = tag;
        await context.Response.Body.WriteAsync(content.Slice((int)request.From, sent));
        await context.Response.Body.FlushAsync();
    }
}
