using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>First answers that bring less than was asked for: what is read is whole, and of one version, all the same.</summary>
public sealed class RemoteFirstAnswerTests : IDisposable
{
    private static readonly HttpFileOptions Fast = new() { RetryDelay = TimeSpan.FromMilliseconds(1) };

    private readonly TempDirectory _directory = new();
    private readonly WebServer _server;

    public RemoteFirstAnswerTests()
    {
        _server = new WebServer(_directory.Path);
    }

    private Uri Address => _server.AddressOf("disk.raw");

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(512, false)]
    [InlineData(5120, false)]
    [InlineData(5120, true)]
    [InlineData(65536, false)]
    [InlineData(65536 + 512, true)]
    [InlineData(200_192, false)]
    [InlineData(200_192, true)]
    public async Task ServerThatGivesAThousandBytesAtATime_IsAskedForTheRest(int length, bool async)
    {
        byte[] content = GuestDisk.Noise(length, seed: 4);
        _server.Before = async context =>
        {
            await PartialAnswer.Send(context, content, 1000, "\"v1\"", isWhole: true);
            return true;
        };
        using Qcow2Chain chain = await OpenAsync(async);
        byte[] read = new byte[length];
        Assert.Equal(length, async ? await chain.ReadAtAsync(0, read) : chain.ReadAt(0, read));
        Assert.Equal(content, read);
        Assert.Equal(length, _server.BytesSent);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task FileReplacedAfterAShortFirstAnswer_IsAnErrorAndNoMixture(bool knowsConditions, bool async)
    {
        byte[] old = GuestDisk.Noise(200_192, seed: 5);
        byte[] replaced = GuestDisk.Noise(200_192, seed: 6);
        List<string> conditions = [];
        _server.Before = async context =>
        {
            string condition = context.Request.Headers.IfRange.ToString();
            conditions.Add(condition);
            if (conditions.Count == 1)
            {
                await PartialAnswer.Send(context, old, 30_000, "\"v1\"", isWhole: true);
            }
            else if (knowsConditions && condition is not ("" or "\"v2\""))
            {
                context.Response.Headers.ETag = "\"v2\"";
                await context.Response.Body.WriteAsync(replaced);
            }
            else
            {
                await PartialAnswer.Send(context, replaced, int.MaxValue, "\"v2\"", isWhole: true);
            }

            return true;
        };
        Qcow2Exception error = await Assert.ThrowsAsync<Qcow2Exception>(() => OpenAsync(async));
        Assert.Contains("the file changed on its server", error.Message, StringComparison.Ordinal);
        Assert.Equal(["", "\"v1\""], conditions);
        using Qcow2Chain again = await OpenAsync(async);
        Assert.Equal(replaced, again.ReadWholeDisk());
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task FileReplacedAfterTheFirstAnswerBrokeOff_IsAnErrorAndNoMixture(bool knowsConditions, bool async)
    {
        byte[] old = GuestDisk.Noise(200_192, seed: 5);
        byte[] replaced = GuestDisk.Noise(200_192, seed: 6);
        List<string> conditions = [];
        _server.Before = async context =>
        {
            string condition = context.Request.Headers.IfRange.ToString();
            conditions.Add(condition);
            if (knowsConditions && condition == "\"v1\"")
            {
                await context.Response.Body.WriteAsync(replaced);
            }
            else
            {
                bool isFirst = conditions.Count == 1;
                await PartialAnswer.Send(context, isFirst ? old : replaced, int.MaxValue, isFirst ? "\"v1\"" : "\"v2\"", isWhole: true);
            }

            return true;
        };
        using SocketsHttpHandler sockets = new() { AllowAutoRedirect = false };
        using BreakingHandler handler = new(sockets);
        Qcow2OpenOptions options = new() { Http = Fast with { Handler = handler }, Format = ImageFormat.Raw };
        Qcow2Exception error = await Assert.ThrowsAsync<Qcow2Exception>(
            async () => _ = async ? await Qcow2Chain.OpenAsync(Address, options) : Qcow2Chain.Open(Address, options));
        Assert.Contains("the file changed on its server", error.Message, StringComparison.Ordinal);
        Assert.Equal(["", "\"v1\""], conditions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FirstAnswerThatBreaksOff_GoesOnWhereItBroke(bool async)
    {
        byte[] content = GuestDisk.Noise(200_192, seed: 5);
        int answers = 0;
        _server.Before = async context =>
        {
            bool breaks = ++answers < 3;
            await PartialAnswer.Send(context, content, breaks ? 20_000 : int.MaxValue, "\"v1\"", isWhole: false);
            if (breaks)
            {
                context.Abort();
            }

            return true;
        };
        using Qcow2Chain chain = await OpenAsync(async);
        Assert.Equal(content, chain.ReadWholeDisk());
    }

    private async Task<Qcow2Chain> OpenAsync(bool async)
    {
        Qcow2OpenOptions options = new() { Http = Fast, Format = ImageFormat.Raw };
        return async ? await Qcow2Chain.OpenAsync(Address, options) : Qcow2Chain.Open(Address, options);
    }

    /// <summary>Breaks the first answer off after 30000 bytes, so that these are there whatever the network does.</summary>
    private sealed class BreakingHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private bool _hasBroken;

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Break(base.Send(request, cancellationToken));

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Break(await base.SendAsync(request, cancellationToken));

        private HttpResponseMessage Break(HttpResponseMessage response)
        {
            if (!_hasBroken)
            {
                _hasBroken = true;
                HttpContent whole = response.Content;
                response.Content = new StreamContent(new BreakingStream(whole.ReadAsStream(), 30_000));
                foreach ((string name, IEnumerable<string> values) in whole.Headers)
                {
                    response.Content.Headers.TryAddWithoutValidation(name, values);
                }
            }

            return response;
        }
    }
}
