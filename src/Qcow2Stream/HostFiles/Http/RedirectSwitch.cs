namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// Whether a handler follows redirects by itself. One that does asks servers that were not checked, and sends them the
/// headers that were meant for the first one, before any of that can be seen here.
/// </summary>
internal static class RedirectSwitch
{
    /// <summary>Says why a handler must not be used; null if it may be.</summary>
    public static string? FaultOf(HttpMessageHandler handler)
    {
        HttpMessageHandler? last = handler;
        while (last is DelegatingHandler delegating)
        {
            last = delegating.InnerHandler;
        }

        return last switch
        {
            SocketsHttpHandler { AllowAutoRedirect: false } or HttpClientHandler { AllowAutoRedirect: false } => null,
            SocketsHttpHandler or HttpClientHandler =>
                "The handler follows redirects by itself, with headers that are meant for one server: set AllowAutoRedirect = false.",
            null => "The handler has no inner handler that sends anything.",
            _ => $"Whether {last.GetType()} follows redirects by itself is unknown: the handler that sends must be a SocketsHttpHandler or an HttpClientHandler.",
        };
    }
}
