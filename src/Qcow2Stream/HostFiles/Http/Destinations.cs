using System.Collections.Concurrent;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// Sends the requests of a chain's files, each to where it may go: <see cref="HttpFileOptions.FollowRedirects"/> as a rule for
/// connections. The server of a file's own address is the caller's choice, as are those of addresses that a policy allows, and may
/// be anywhere. If it is at public addresses only when it is first connected to, it must be later, too: its name may then mean
/// another one. Safe for any number of threads.
/// </summary>
internal sealed class Destinations
{
    private const string HowToAllow = $"{nameof(HttpFileOptions.FollowRedirects)} = {nameof(HttpRedirectPolicy)}.{nameof(HttpRedirectPolicy.Any)}";

    private readonly HttpFileOptions _options;
    private readonly HttpClient _anywhere;
    private readonly HttpClient _publicOnly;

    private readonly ConcurrentDictionary<string, bool> _chosen = new(StringComparer.OrdinalIgnoreCase);

    // Whether the servers of files' own addresses were at addresses that aren't public, when they were first asked.
    private readonly ConcurrentDictionary<string, bool> _isInner = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Initializes the destinations, with connections that are judged.</summary>
    public Destinations(HttpFileOptions options, Connector connector)
        : this(options, connector.Anywhere, connector.PublicOnly)
    {
    }

    /// <summary>Initializes the destinations with a caller's client, which connects where it likes: only what the address itself says is judged.</summary>
    public Destinations(HttpFileOptions options, HttpClient callers)
        : this(options, callers, callers)
    {
    }

    private Destinations(HttpFileOptions options, HttpClient anywhere, HttpClient publicOnly)
    {
        _options = options;
        _anywhere = anywhere;
        _publicOnly = publicOnly;
    }

    private enum Rule
    {
        Anywhere,
        FirstContact,
        PublicOnly,
    }

    /// <summary>Takes note of addresses that the caller's policy names: their servers are the caller's choice.</summary>
    public void Choose(IEnumerable<Uri> addresses)
    {
        foreach (Uri address in addresses)
        {
            _chosen.TryAdd(OriginOf(address), true);
        }
    }

    /// <summary>Says why a redirect must not be followed, from what the address says; null if it may be requested.</summary>
    /// <param name="own">The file's own address.</param>
    /// <param name="next">Where the server redirects to.</param>
    public RemoteFileException? JudgeRedirect(Uri own, Uri next) =>
        _options.FollowRedirects == HttpRedirectPolicy.SameOrigin && !HttpSource.IsSameOrigin(own, next)
            ? new RemoteFileException($"the server redirects to another server, which is not followed (to allow it: {HowToAllow})", hint: HowToAllow)
            : null;

    /// <summary>Sends a request, and returns when the answer's headers are there.</summary>
    /// <param name="own">The file's own address.</param>
    /// <param name="at">The address that is asked: that one, or where it was redirected to.</param>
    /// <param name="make">Makes the request, perhaps twice.</param>
    /// <param name="async">False: it has completed when this returns.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="RemoteFileException">The address must not be asked.</exception>
    public async ValueTask<HttpResponseMessage> SendAsync(
        Uri own, Uri at, Func<HttpRequestMessage> make, bool async, CancellationToken cancellationToken)
    {
        Rule rule = RuleFor(own, at);
        if (rule != Rule.Anywhere)
        {
            try
            {
                return await SendToPublicAsync(at, make, rule, async, cancellationToken).ConfigureAwait(false);
            }
            catch (InnerAddressException e)
            {
                if (rule != Rule.FirstContact)
                {
                    throw Refusal(own, at, e);
                }

                _isInner.TryAdd(OriginOf(at), true);
            }
        }

        using HttpRequestMessage request = make();
        return await SendAsync(_anywhere, request, async, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<HttpResponseMessage> SendToPublicAsync(
        Uri at, Func<HttpRequestMessage> make, Rule rule, bool async, CancellationToken cancellationToken)
    {
        if (PublicAddress.IsInnerByName(at))
        {
            throw new InnerAddressException();
        }

        using HttpRequestMessage request = make();
        request.Options.Set(Connector.WantsAllPublic, rule == Rule.FirstContact);
        HttpResponseMessage response;
        try
        {
            response = await SendAsync(_publicOnly, request, async, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.InnerException is InnerAddressException inner)
        {
            throw inner;
        }

        if (rule == Rule.FirstContact)
        {
            _isInner.TryAdd(OriginOf(at), false);
        }

        return response;
    }

    private static async ValueTask<HttpResponseMessage> SendAsync(
        HttpClient client, HttpRequestMessage request, bool async, CancellationToken cancellationToken) => async
            ? await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false)
            : client.Send(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    private Rule RuleFor(Uri own, Uri at) =>
        _options.RequirePublicAddresses ? Rule.PublicOnly
        : _options.FollowRedirects == HttpRedirectPolicy.Any ? Rule.Anywhere
        : !HttpSource.IsSameOrigin(own, at) && !_chosen.ContainsKey(OriginOf(at)) ? Rule.PublicOnly
        : !_isInner.TryGetValue(OriginOf(at), out bool isInner) ? Rule.FirstContact
        : isInner ? Rule.Anywhere : Rule.PublicOnly;

    private RemoteFileException Refusal(Uri own, Uri at, InnerAddressException cause)
    {
        if (_options.RequirePublicAddresses)
        {
            return new RemoteFileException($"{cause.Message}, which {nameof(HttpFileOptions.RequirePublicAddresses)} asks for", cause);
        }

        string what = HttpSource.IsSameOrigin(own, at)
            ? "the server's name means an address now that isn't public, as the one was that was opened"
            : "the server redirects to a host whose address isn't public";
        return new RemoteFileException($"{what} (to allow it: {HowToAllow})", cause, HowToAllow);
    }

    private static string OriginOf(Uri address) => address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
}
