using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// The clients that send requests where the caller gives no handler of its own. Each keeps its own connections, so that one that
/// may go to public addresses only is never given a connection that another one made. Safe for any number of threads.
/// </summary>
/// <param name="resolve">Gets the addresses of a host.</param>
/// <param name="dial">Connects to one.</param>
internal sealed class Connector(
    Func<string, CancellationToken, Task<IPAddress[]>> resolve, Func<IPEndPoint, CancellationToken, ValueTask<Stream>> dial)
{
    /// <summary>Says of a request that its host counts as public only if all of its addresses are.</summary>
    public static readonly HttpRequestOptionsKey<bool> WantsAllPublic = new("Qcow2Stream.WantsAllPublic");

    private readonly Lazy<HttpClient> _anywhere = new(() => ClientOf((context, cancellationToken) =>
        ConnectAsync(resolve, dial, context, isPublicOnly: false, cancellationToken)));

    private readonly Lazy<HttpClient> _publicOnly = new(() => ClientOf((context, cancellationToken) =>
        ConnectAsync(resolve, dial, context, isPublicOnly: true, cancellationToken)));

    /// <summary>The one that all chains share.</summary>
    public static Connector Shared { get; } = new(Dns.GetHostAddressesAsync, DialAsync);

    /// <summary>A client that connects to any address.</summary>
    public HttpClient Anywhere => _anywhere.Value;

    /// <summary>A client that connects to public addresses only, or to a proxy, which does the rest.</summary>
    public HttpClient PublicOnly => _publicOnly.Value;

    private static HttpClient ClientOf(Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect) =>
        new(new SocketsHttpHandler
        {
            // Each step of a redirect is judged here, and the headers go nowhere but where they are meant to go.
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),

            // A request that is given up leaves the connection that it waited for to others, as long as that takes.
            ConnectTimeout = TimeSpan.FromMinutes(2),

            // What is given up is given up at once: there is no waiting for the rest of an answer.
            MaxResponseDrainSize = 0,
            ConnectCallback = connect,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };

    /// <summary>Connects to the first of a host's addresses that may be connected to, and answers.</summary>
    private static async ValueTask<Stream> ConnectAsync(
        Func<string, CancellationToken, Task<IPAddress[]>> resolve,
        Func<IPEndPoint, CancellationToken, ValueTask<Stream>> dial,
        SocketsHttpConnectionContext context,
        bool isPublicOnly,
        CancellationToken cancellationToken)
    {
        DnsEndPoint host = context.DnsEndPoint;
        IPAddress[] addresses = IPAddress.TryParse(host.Host, out IPAddress? figures)
            ? [figures]
            : await resolve(host.Host, cancellationToken).ConfigureAwait(false);
        if (isPublicOnly && !IsProxy(context))
        {
            bool wantsAll = context.InitialRequestMessage.Options.TryGetValue(WantsAllPublic, out bool wants) && wants;
            IPAddress[] allowed = Array.FindAll(addresses, PublicAddress.Is);
            if (addresses.Length > 0 && (allowed.Length == 0 || (wantsAll && allowed.Length < addresses.Length)))
            {
                throw new InnerAddressException();
            }

            addresses = allowed;
        }

        ExceptionDispatchInfo? last = null;
        foreach (IPAddress address in addresses)
        {
            try
            {
                return await dial(new IPEndPoint(address, host.Port), cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                last = ExceptionDispatchInfo.Capture(e);
            }
        }

        last?.Throw();
        throw new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>
    /// Whether the connection is to a proxy: then the host is another one than the request's, or asked for a tunnel. Where no
    /// proxy is meant for the request, none is assumed.
    /// </summary>
    private static bool IsProxy(SocketsHttpConnectionContext context)
    {
        HttpRequestMessage request = context.InitialRequestMessage;
        if (request.Method == HttpMethod.Connect)
        {
            return true;
        }

        Uri asked = request.RequestUri!;
        bool isAnother = asked.Port != context.DnsEndPoint.Port || !asked.IdnHost.Equals(context.DnsEndPoint.Host, StringComparison.OrdinalIgnoreCase);
        return isAnother && HttpClient.DefaultProxy.GetProxy(asked) is not null;
    }

    private static async ValueTask<Stream> DialAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        Socket socket = new(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
