namespace Qcow2Stream.Tests.Streams;

public sealed class SeekTests : IDisposable
{
    private readonly SampleDisk _disk = SampleDisk.Single();
    private readonly Qcow2ChainStream _stream;

    public SeekTests()
    {
        _stream = _disk.Open();
        _stream.Position = 1000;
    }

    public void Dispose() => _stream.Dispose();

    [Theory]
    [InlineData(0, SeekOrigin.Begin, 0)]
    [InlineData(123, SeekOrigin.Begin, 123)]
    [InlineData(1L << 50, SeekOrigin.Begin, 1L << 50)]
    [InlineData(long.MaxValue, SeekOrigin.Begin, long.MaxValue)]
    [InlineData(0, SeekOrigin.Current, 1000)]
    [InlineData(24, SeekOrigin.Current, 1024)]
    [InlineData(-1000, SeekOrigin.Current, 0)]
    [InlineData(long.MaxValue - 1000, SeekOrigin.Current, long.MaxValue)]
    public void Seek_MovesTheCursorAndReturnsIt(long offset, SeekOrigin origin, long expected)
    {
        Assert.Equal(expected, _stream.Seek(offset, origin));
        Assert.Equal(expected, _stream.Position);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-4096)]
    [InlineData(77)]
    public void SeekFromTheEnd_CountsFromTheLength(long offset)
    {
        Assert.Equal(_disk.Length + offset, _stream.Seek(offset, SeekOrigin.End));
        Assert.Equal(_disk.Length + offset, _stream.Position);
    }

    [Theory]
    [InlineData(-1, SeekOrigin.Begin)]
    [InlineData(long.MinValue, SeekOrigin.Begin)]
    [InlineData(-1001, SeekOrigin.Current)]
    [InlineData(long.MinValue, SeekOrigin.Current)]
    [InlineData(long.MaxValue - 999, SeekOrigin.Current)]
    [InlineData(long.MaxValue, SeekOrigin.Current)]
    [InlineData(-(1L << 40), SeekOrigin.End)]
    [InlineData(long.MinValue, SeekOrigin.End)]
    [InlineData(long.MaxValue, SeekOrigin.End)]
    public void SeekOutOfRange_ThrowsAndMovesNothing(long offset, SeekOrigin origin)
    {
        Assert.Throws<IOException>(() => _stream.Seek(offset, origin));
        Assert.Equal(1000, _stream.Position);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void UnknownOrigin_Throws(int value)
    {
        Assert.Throws<ArgumentException>("origin", () => _stream.Seek(0, (SeekOrigin)value));
        Assert.Equal(1000, _stream.Position);
    }

    [Fact]
    public void NegativePosition_ThrowsAndMovesNothing()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _stream.Position = -1);
        Assert.Equal(1000, _stream.Position);
    }

    [Fact]
    public void SeekBack_ReadsTheSameAgain()
    {
        byte[] first = new byte[9000];
        byte[] second = new byte[9000];
        _stream.ReadExactly(first);
        _stream.Seek(-9000, SeekOrigin.Current);
        _stream.ReadExactly(second);

        Assert.Equal(_disk.Expected[1000..10000], first);
        Assert.Equal(first, second);
    }
}
