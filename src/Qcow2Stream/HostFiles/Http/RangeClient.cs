using System.Net;
using System.Net.Http.Headers;
using Qcow2Stream.Text;

namespace Qcow2Stream.HostFiles.Http;

/// <summary>Gets ranges of one file from its server: requests, redirects, retries. Safe for any number of threads.</summary>
/// <param name="uri">The file's address.</param>
/// <param name="source">What it shares with the chain's other files.</param>
/// <param name="judge">Says why an address that a server redirects to must not be asked; null, or giving null, if it may be.</param>
internal sealed class RangeClient(Uri uri, HttpSource source, Func<Uri, RemoteFileException?>? judge)
{
    private const int MaxRedirects = 10;

    // 512 bytes each, on average: a server that sends less at a time costs more requests than it gives.
    private const int MaxAnswersPerBlock = Block.Size / 512;

    // Where redirects led: an object store's signed address, say, which is asked directly as long as that works.
    private volatile Uri? _redirected;

    /// <summary>
    /// Gets all bytes that are missing, in as many requests as it takes, and all of one version, once there is memory for
    /// them, and a turn for each request.
    /// </summary>
    /// <param name="filling">
    /// Receives them. If its version is not known, the first answer decides it. Its lease has ended when this
    /// has, however that was.
    /// </param>
    /// <param name="async">False: it has completed when this returns.</param>
    /// <param name="cancellationToken">Ends it, also while the server sends nothing.</param>
    /// <exception cref="IOException">The bytes can't be had.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async ValueTask FillAsync(Filling filling, bool async, CancellationToken cancellationToken)
    {
        using RequestSlots.Lease lease = filling.Lease;
        await lease.TakeMemoryAsync(async, cancellationToken).ConfigureAwait(false);
        source.Blocks.GiveMemory(filling.Blocks);
        if (async)
        {
            await source.Retry.ExecuteAsync(
                static (state, token) => state.Client.AttemptAsync(state.Filling, async: true, token),
                (Client: this, Filling: filling),
                cancellationToken).ConfigureAwait(false);
        }
        else
        {
            source.Retry.Execute(
                static (state, token) => state.Client.AttemptAsync(state.Filling, async: false, token).Now(),
                (Client: this, Filling: filling),
                cancellationToken);
        }
    }

    /// <summary>Gets what is missing, in as many answers as it takes, until one fails.</summary>
    private async ValueTask AttemptAsync(Filling filling, bool async, CancellationToken cancellationToken)
    {
        using Patience patience = new(source.Options, source.Time, cancellationToken);
        do
        {
            using RequestSlots.Lease.Turn turn = await filling.Lease.TakeTurnAsync(async, cancellationToken).ConfigureAwait(false);
            try
            {
                patience.Start();
                await ReceiveAsync(filling, async, patience).ConfigureAwait(false);
                patience.Stop();
            }
            catch (Exception e) when (IsNetworks(e))
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw patience.Token.IsCancellationRequested ? new TransientHttpException(patience.Describe(), cause: e) : Translate(e);
            }
        }
        while (filling.Remaining > 0);
    }

    private async ValueTask ReceiveAsync(Filling filling, bool async, Patience patience)
    {
        using Operation? operation = Operation.HttpRequest();
        try
        {
            await ReceiveAnswerAsync(filling, operation, async, patience).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            operation?.Failed(e);
            throw;
        }
    }

    private async ValueTask ReceiveAnswerAsync(Filling filling, Operation? operation, bool async, Patience patience)
    {
        using HttpResponseMessage response = await SendAsync(filling, async, patience.Token).ConfigureAwait(false);
        operation?.Answered((int)response.StatusCode);
        RangeAnswer answer = RangeAnswer.Judge(response, filling.Offset, filling.Remaining, filling.Version);

        // Before any of its bytes: the rest, should this answer break off, must be of this version too.
        filling.Settle(answer.Version);
        if (++filling.Answers > (long)filling.Blocks.Count * MaxAnswersPerBlock)
        {
            throw new RemoteFileException($"the server sends the file in more than {MaxAnswersPerBlock} answers for {Block.Size} bytes");
        }

        using Stream content = async
            ? await response.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false)
            : response.Content.ReadAsStream(patience.Token);

        // A read that takes no token ends when the answer is given up below it.
        using CancellationTokenRegistration abort = patience.Token.UnsafeRegister(
            static state => ((HttpResponseMessage)state!).Dispose(), response);
        int read;
        for (long left = answer.Length; left > 0; left -= read)
        {
            Memory<byte> target = filling.Rest;
            target = target[..(int)Math.Min(left, target.Length)];
            read = async ? await content.ReadAsync(target, patience.Token).ConfigureAwait(false) : content.Read(target.Span);
            if (read == 0)
            {
                throw new TransientHttpException("the server's answer ended early");
            }

            Instruments.HttpReceived(read);
            patience.Received(read);
            if (filling.Advance(read) is { } block)
            {
                source.Blocks.Keep(block);
                block.Arrived();
            }
        }
    }

    private async ValueTask<HttpResponseMessage> SendAsync(Filling filling, bool async, CancellationToken cancellationToken)
    {
        Uri at = _redirected ?? uri;
        for (int redirects = 0; redirects <= MaxRedirects; redirects++)
        {
            Uri asked = at;
            HttpResponseMessage response = await source.Destinations.SendAsync(uri, asked, () => RequestFor(filling, asked), async, cancellationToken)
                .ConfigureAwait(false);
            try
            {
                if (RedirectOf(response) is { } next)
                {
                    at = Follow(at, next);
                }
                else if (at == _redirected && HasExpired(response.StatusCode))
                {
                    _redirected = null;
                    at = uri;
                }
                else
                {
                    _redirected = at == uri ? null : at;
                    HttpResponseMessage answer = response;
                    response = null!;
                    return answer;
                }
            }
            finally
            {
                response?.Dispose();
            }
        }

        throw new RemoteFileException($"the server redirects more than {MaxRedirects} times");
    }

    private HttpRequestMessage RequestFor(Filling filling, Uri at)
    {
        HttpRequestMessage request = new(HttpMethod.Get, at);
        request.Headers.Range = new RangeHeaderValue(filling.Offset, filling.Offset + filling.Remaining - 1);
        request.Headers.IfRange = filling.Version?.Condition;
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        source.AddHeaders(request);
        Instruments.HttpRequest();
        return request;
    }

    private Uri Follow(Uri from, Uri location)
    {
        if (!Uri.TryCreate(from, location, out Uri? next))
        {
            throw new RemoteFileException("the server redirects to something that is not an address");
        }

        if (next.Scheme != Uri.UriSchemeHttps && next.Scheme != from.Scheme)
        {
            throw new RemoteFileException($"the server redirects from {from.Scheme} to {next.Scheme}, which is not followed");
        }

        return (judge?.Invoke(next) ?? source.Destinations.JudgeRedirect(uri, next)) is { } refusal ? throw refusal : next;
    }

    private static Uri? RedirectOf(HttpResponseMessage response) => response.StatusCode
        is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
        ? response.Headers.Location
        : null;

    private static bool HasExpired(HttpStatusCode status) =>
        status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.Gone;

    /// <summary>What clients throw, as against what is thrown here; an answer that is given up is disposed below its reader.</summary>
    private static bool IsNetworks(Exception e) =>
        e is HttpRequestException or HttpIOException or OperationCanceledException or ObjectDisposedException
        || e.GetType() == typeof(IOException);

    private static IOException Translate(Exception e) =>
        e is HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError }
            ? new RemoteFileException(e.InnerException is { } inner ? $"{e.Message}: {inner.Message}" : e.Message, e)
            : new TransientHttpException(e.Message, cause: e);
}
