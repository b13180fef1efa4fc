using Qcow2Stream.Cli;

namespace Qcow2Stream.Tests.Cli;

public sealed class SizeTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("4096", 4096)]
    [InlineData("64K", 65_536)]
    [InlineData("64k", 65_536)]
    [InlineData("1M", 1 << 20)]
    [InlineData("2G", 2L << 30)]
    [InlineData("8388607T", 8_388_607L << 40)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void GoodSize_IsBytes(string text, long expected)
    {
        Assert.True(CommonOptions.TryParseSize(text, out long size));
        Assert.Equal(expected, size);
    }

    [Theory]
    [InlineData("")]
    [InlineData("K")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1 K")]
    [InlineData("1.5M")]
    [InlineData("1KB")]
    [InlineData("0x10")]
    [InlineData("8388608T")]
    [InlineData("9223372036854775808")]
    public void BadSize_IsRefused(string text) => Assert.False(CommonOptions.TryParseSize(text, out _));
}
