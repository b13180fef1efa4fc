namespace Qcow2Stream.Tests.Remote;

/// <summary>Headers of the caller's own: those that would not be sent as they are given are misuse.</summary>
public sealed class RequestHeaderTests
{
    [Theory]
    [InlineData("Authorization", "Bearer a:b=")]
    [InlineData("X-Api-Key", "")]
    [InlineData("Cookie", "a=1;\tb=2")]
    [InlineData("x!#$%&'*+-.^_`|~9", "~")]
    public void HeaderOfARequest_IsTaken(string name, string value)
    {
        HttpFileOptions options = new() { Headers = new Dictionary<string, string> { [name] = value } };
        Assert.Equal(value, options.Headers[name]);
        Assert.Null(HttpFileOptions.GetHeaderFault(name, value));
    }

    [Theory]
    [InlineData("", "x", "its name")]
    [InlineData("Bad Name", "x", "its name")]
    [InlineData("Name:", "x", "its name")]
    [InlineData("N\u00e4me", "x", "its name")]
    [InlineData("A\r\nB", "x", "its name")]
    [InlineData("Content-Type", "x", "describes content")]
    [InlineData("content-length", "1", "describes content")]
    [InlineData("Last-Modified", "x", "describes content")]
    [InlineData("range", "bytes=0-1", "Range is not")]
    [InlineData("If-Range", "x", "If-Range is not")]
    [InlineData("If-None-Match", "*", "If-None-Match is not")]
    [InlineData("ACCEPT-ENCODING", "gzip", "Accept-Encoding is not")]
    [InlineData("Host", "other", "Host is not")]
    [InlineData("Transfer-Encoding", "chunked", "Transfer-Encoding is not")]
    [InlineData("X-Key", "a\r\nRange: bytes=0-1", "line breaks")]
    [InlineData("X-Key", "a\n", "line breaks")]
    [InlineData("X-Key", "a\0", "line breaks")]
    [InlineData("X-Key", "\u00e9", "ASCII")]
    [InlineData("X-Key", null, "no value")]
    public void HeaderThatCannotBeSent_IsMisuse(string name, string? value, string reason)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => new HttpFileOptions { Headers = new Dictionary<string, string> { [name] = value! } });
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        if (value is not null)
        {
            Assert.Contains(reason, HttpFileOptions.GetHeaderFault(name, value), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Headers_AreCopiedAndNeverNull()
    {
        Assert.Throws<ArgumentNullException>(() => new HttpFileOptions { Headers = null! });
        Dictionary<string, string> given = new() { ["A"] = "1" };
        HttpFileOptions options = new() { Headers = given };
        given["Range"] = "bytes=0-1";
        Assert.Equal(["A"], options.Headers.Keys);
        given = new() { ["a"] = "1", ["A"] = "2" };
        Assert.Throws<ArgumentException>(() => new HttpFileOptions { Headers = given });
    }
}
