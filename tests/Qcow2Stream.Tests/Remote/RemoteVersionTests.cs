using Microsoft.AspNetCore.Http;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>What counts as a file's version, and what does not (RFC 9110, section 8.8).</summary>
public sealed class RemoteVersionTests : IDisposable
{
    private const string Now = "Fri, 02 Jan 2026 12:00:00 GMT";

    private readonly TempDirectory _directory = new();
    private readonly WebServer _server;
    private readonly byte[] _content = GuestDisk.Noise(1 << 20, seed: 8);

    public RemoteVersionTests()
    {
        _server = new WebServer(_directory.Path) { GivesTag = false, GivesDate = false };
        _directory.Write("disk.raw", _content);
    }

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("Fri, 02 Jan 2026 11:59:59 GMT", true)]
    [InlineData("Thu, 01 Jan 2026 12:00:00 GMT", true)]
    [InlineData(Now, false)]
    [InlineData("Fri, 02 Jan 2026 12:00:01 GMT", false)]
    [InlineData("", false)]
    public void DateAlone_CountsIfItIsASecondOld(string lastModified, bool counts)
    {
        _server.Headers = response =>
        {
            response.Headers.Date = Now;
            response.Headers.LastModified = lastModified;
        };
        if (counts)
        {
            using Qcow2Chain chain = Open();
            Assert.Equal(_content, chain.ReadWholeDisk());
        }
        else
        {
            Assert.Contains("AllowUnversioned", Assert.Throws<Qcow2Exception>(() => Open()).Message, StringComparison.Ordinal);
        }

        using Qcow2Chain allowed = Open(new() { AllowUnversioned = true });
        Assert.Equal(_content, allowed.ReadWholeDisk());
    }

    [Fact]
    public void FileModifiedJustNow_CanBeOpenedByTheSameFileLater()
    {
        string now = Now;
        _server.Headers = response => (response.Headers.Date, response.Headers.LastModified) = (now, Now);
        using HostFile file = HostFile.FromUri(_server.AddressOf("disk.raw"));
        Assert.Throws<Qcow2Exception>(() => file.GetLength());
        now = "Fri, 02 Jan 2026 12:00:01 GMT";
        byte[] read = new byte[_content.Length];
        Assert.Equal(read.Length, file.ReadAt(0, read));
        Assert.Equal(_content, read);
    }

    [Fact]
    public void DateThatIsTooNew_IsNoCondition()
    {
        List<string> conditions = [];
        _server.Before = context =>
        {
            conditions.Add(context.Request.Headers.IfRange.ToString());
            return Task.FromResult(false);
        };
        _server.Headers = response => (response.Headers.Date, response.Headers.LastModified) = (Now, Now);
        using Qcow2Chain chain = Open(new() { AllowUnversioned = true });
        Assert.Equal(_content, chain.ReadWholeDisk());
        Assert.Equal([""], conditions.Distinct());
    }

    [Theory]
    [InlineData("\"v1\"", "\"v1\"", true)]
    [InlineData("\"v1\"", "", false)]
    [InlineData("\"v1\"", "W/\"v1\"", false)]
    [InlineData("\"v1\"", "\"v2\"", false)]
    [InlineData("W/\"v1\"", "W/\"v1\"", true)]
    [InlineData("W/\"v1\"", "", true)]
    [InlineData("W/\"v1\"", "W/\"v2\"", false)]
    public void TagOfAFurtherAnswer_IsThatOfTheFirst(string first, string further, bool agrees)
    {
        _server.Headers = response => Tag(response, first);
        using Qcow2Chain chain = Open(new() { AllowUnversioned = true, ReadAheadBytes = 0 });
        _server.Before = context =>
        {
            // As if it knew no conditions; that is the worst case.
            context.Request.Headers.IfRange = default;
            return Task.FromResult(false);
        };
        _server.Headers = response => Tag(response, further);
        Exception? error = Record.Exception(() => Assert.Equal(_content, chain.ReadWholeDisk()));
        Assert.Equal(agrees, error is null);
        Assert.True(agrees || error is Qcow2Exception);
    }

    private static void Tag(HttpResponse response, string tag) => response.Headers.ETag = tag;

    private Qcow2Chain Open(HttpFileOptions? options = null) =>
        Qcow2Chain.Open(_server.AddressOf("disk.raw"), new() { Http = options, Format = ImageFormat.Raw });
}
