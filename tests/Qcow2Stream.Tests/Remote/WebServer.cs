using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Qcow2Stream.Tests.Remote;

/// <summary>
/// The framework's web server over a directory, on a port of its own: it answers ranges and conditions as the standard
/// has it, counts what it sends, and can be made to misbehave.
/// </summary>
internal sealed class WebServer : IDisposable
{
    private readonly WebApplication _application;
    private readonly string _directory;
    private readonly ConcurrentQueue<ServedRequest> _requests = new();
    private long _bytesSent;

    public WebServer(string directory)
    {
        _directory = directory;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        _application = builder.Build();
        _application.Run(ServeAsync);
        _application.StartAsync().GetAwaiter().GetResult();
        Root = new Uri(_application.Urls.Single() + "/");
    }

    public Uri Root { get; }

    /// <summary>Looks at each request before it is served; true if it has answered.</summary>
    public Func<HttpContext, Task<bool>> Before { get; set; } = _ => Task.FromResult(false);

    /// <summary>Looks at each answer's headers before they go out.</summary>
    public Action<HttpResponse> Headers { get; set; } = _ => { };

    public bool GivesTag { get; set; } = true;

    public bool GivesDate { get; set; } = true;

    public bool ServesRanges { get; set; } = true;

    public IReadOnlyCollection<ServedRequest> Requests => _requests;

    /// <summary>The bytes of all answers' contents.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>The tag of a file's version.</summary>
    public static string TagOf(FileInfo file) => $"\"{file.LastWriteTimeUtc.Ticks:x}\"";

    public Uri AddressOf(string file) => new(Root, file);

    public void Forget()
    {
        _requests.Clear();
        Interlocked.Exchange(ref _bytesSent, 0);
    }

    public void Dispose()
    {
        // Answers that a test holds back must not hold up the end.
        using CancellationTokenSource now = new();
        now.Cancel();
        _application.StopAsync(now.Token).GetAwaiter().GetResult();
        ((IDisposable)_application).Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        Stream wire = context.Response.Body;
        context.Response.Body = new CountingStream(wire, count => Interlocked.Add(ref _bytesSent, count));
        context.Response.OnStarting(() =>
        {
            Headers(context.Response);
            return Task.CompletedTask;
        });
        _requests.Enqueue(ServedRequest.Of(context.Request));
        if (!await Before(context))
        {
            await AnswerAsync(context);
        }
    }

    private Task AnswerAsync(HttpContext context)
    {
        FileInfo file = new(Path.Combine(_directory, context.Request.Path.Value!.TrimStart('/')));
        IResult answer = file.Exists
            ? Results.Stream(
                file.Open(FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete),
                lastModified: GivesDate ? file.LastWriteTimeUtc : null,
                entityTag: GivesTag ? new EntityTagHeaderValue(TagOf(file)) : null,
                enableRangeProcessing: ServesRanges)
            : Results.NotFound();
        return answer.ExecuteAsync(context);
    }
}
