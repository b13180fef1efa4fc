using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Qcow2Stream.Tests.Remote;

/// <summary>A request that a <see cref="WebServer"/> got.</summary>
internal sealed record ServedRequest(string Path, string Query, string Range)
{
    /// <summary>The first byte that was asked for.</summary>
    public long From => long.Parse(Range.Split('=', '-')[1], CultureInfo.InvariantCulture);

    /// <summary>How many bytes were asked for.</summary>
    public long Length => long.Parse(Range.Split('=', '-')[2], CultureInfo.InvariantCulture) - From + 1;

    public static ServedRequest Of(HttpRequest request) =>
        new(request.Path.Value!, request.QueryString.Value!, request.Headers.Range.ToString());
}
