using System.Text;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>What options may say, and what they do.</summary>
public sealed class NbdServerOptionsTests
{
    private static readonly string LongestDescription = new('ä', 2048);

    [Fact]
    public void Defaults_AreAsDocumented()
    {
        NbdServerOptions options = new();
        Assert.Equal((16, TimeSpan.FromSeconds(30)), (options.MaxConnections, options.HandshakeTimeout));
        Assert.Equal(TimeSpan.FromSeconds(10), options.MinIdleTime);
        Assert.Equal((null, null, false), (options.Description, options.OnError, options.LeaveOpen));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1001)]
    public void MaxConnectionsOutOfRange_IsRefused(int value) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new NbdServerOptions { MaxConnections = value });

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(24 * 60 * 60 * 1000L + 1)]
    public void HandshakeTimeoutOutOfRange_IsRefused(long milliseconds) => Assert.Throws<ArgumentOutOfRangeException>(
        () => new NbdServerOptions { HandshakeTimeout = TimeSpan.FromMilliseconds(milliseconds) });

    [Theory]
    [InlineData(-1)]
    [InlineData(24 * 60 * 60 * 1000L + 1)]
    public void MinIdleTimeOutOfRange_IsRefused(long milliseconds) => Assert.Throws<ArgumentOutOfRangeException>(
        () => new NbdServerOptions { MinIdleTime = TimeSpan.FromMilliseconds(milliseconds) });

    [Fact]
    public void LastAllowedValues_AreTaken()
    {
        NbdServerOptions least = new() { MaxConnections = 1, HandshakeTimeout = TimeSpan.FromMilliseconds(1), Description = "" };
        NbdServerOptions most = new() { MaxConnections = 1000, HandshakeTimeout = TimeSpan.FromDays(1), Description = LongestDescription };
        Assert.Equal((1, 1000), (least.MaxConnections, most.MaxConnections));
        Assert.Equal((0, 2048), (least.Description.Length, most.Description.Length));
    }

    [Fact]
    public void DescriptionThatNoStringOfTheProtocolCanBe_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new NbdServerOptions { Description = LongestDescription + "x" });
        Assert.Throws<ArgumentException>(() => new NbdServerOptions { Description = "a\0b" });
    }

    [Theory]
    [InlineData("")]
    [InlineData("the disk of Jürgen")]
    [InlineData(null)]
    public void Description_IsWhatClientsAreTold(string? description)
    {
        string shown = description ?? "";
        using LocalServer server = new(Qcow2Chain.Open(Repository.Image("chain-3.qcow2")), options: new NbdServerOptions { Description = description });
        CheckDescription(server, shown);
    }

    [Fact]
    public void LongestDescription_IsTold()
    {
        using LocalServer server = new(ServedImage.Open(), options: new NbdServerOptions { Description = LongestDescription });
        CheckDescription(server, LongestDescription);
    }

    private static void CheckDescription(LocalServer server, string expected)
    {
        using RawClient client = server.Connect();
        client.Greet();
        Assert.Equal("\0\0\0\0" + expected, Encoding.UTF8.GetString(client.Ask(RawClient.List)[0].Data));
        Assert.Equal("\0\u0002" + expected, Encoding.UTF8.GetString(client.Ask(RawClient.Info, RawClient.InfoData("", 2))[^2].Data));
    }
}
