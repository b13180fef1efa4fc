using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

public sealed class CopyTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly byte[] _expected;
    private readonly Qcow2ChainStream _stream;

    public CopyTests()
    {
        _stream = new Qcow2ChainStream(SampleDisk.WriteChain(_directory, out _expected));
    }

    public void Dispose()
    {
        _stream.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 81920)]
    [InlineData(5000, 4096)]
    [InlineData(165375, 4096)]
    public void CopyTo_WritesFromTheCursorToTheEnd(int position, int bufferSize)
    {
        using MemoryStream copy = new();
        _stream.Position = position;

        _stream.CopyTo(copy, bufferSize);

        Assert.Equal(_expected[position..], copy.ToArray());
        Assert.Equal(_expected.Length, _stream.Position);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 81920)]
    [InlineData(5000, 4096)]
    public async Task CopyToAsync_WritesFromTheCursorToTheEnd(int position, int bufferSize)
    {
        using MemoryStream copy = new();
        _stream.Position = position;

        await _stream.CopyToAsync(copy, bufferSize);

        Assert.Equal(_expected[position..], copy.ToArray());
        Assert.Equal(_expected.Length, _stream.Position);
    }

    [Fact]
    public async Task CopyPastTheEnd_WritesNothing()
    {
        using MemoryStream copy = new();
        _stream.Position = _expected.Length + 10;

        _stream.CopyTo(copy);
        await _stream.CopyToAsync(copy);

        Assert.Equal(0, copy.Length);
        Assert.Equal(_expected.Length + 10, _stream.Position);
    }

    [Fact]
    public async Task BadArguments_Throw()
    {
        using MemoryStream copy = new();
        Assert.Throws<ArgumentNullException>("destination", () => _stream.CopyTo(null!));
        Assert.Throws<ArgumentOutOfRangeException>("bufferSize", () => _stream.CopyTo(copy, 0));
        Assert.Throws<NotSupportedException>(() => _stream.CopyTo(new MemoryStream([], writable: false)));
        await Assert.ThrowsAsync<ArgumentNullException>("destination", () => _stream.CopyToAsync(null!));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("bufferSize", () => _stream.CopyToAsync(copy, -1));
    }

    [Fact]
    public async Task CancelledWhileCopying_Ends()
    {
        using CancellationTokenSource cancellation = new();
        SampleDisk disk = SampleDisk.Single();
        WatchedStream host = new(disk.Image);
        using Qcow2ChainStream stream = new(host);
        int before = host.Reads;
        host.Reading = reads =>
        {
            if (reads == before + 2)
            {
                cancellation.Cancel();
            }
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.CopyToAsync(new MemoryStream(), cancellation.Token));
    }
}
