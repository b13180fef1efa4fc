namespace Qcow2Stream.Tests.Streams;

public sealed class ReadAsyncTests : IDisposable
{
    private readonly SampleDisk _disk = SampleDisk.Single();
    private readonly Qcow2ChainStream _stream;

    public ReadAsyncTests()
    {
        _stream = _disk.Open();
    }

    public void Dispose() => _stream.Dispose();

    [Theory]
    [InlineData(7)]
    [InlineData(4096)]
    [InlineData(5000)]
    [InlineData(1 << 20)]
    public async Task MemoryReads_WholeDisk(int count)
    {
        byte[] disk = new byte[_disk.Length];
        int position = 0;
        while (await _stream.ReadAsync(disk.AsMemory(position, Math.Min(count, disk.Length - position))) is > 0 and int read)
        {
            position += read;
            Assert.Equal(position, _stream.Position);
        }

        Assert.Equal(_disk.Expected, disk);
    }

    [Fact]
    public async Task ArrayRead_FillsItsPartOfTheArrayOnly()
    {
        byte[] buffer = new byte[30000];
        buffer.AsSpan().Fill(0xA5);
        _stream.Position = 30000;

        Assert.Equal(20000, await ReadArrayAsync(buffer, 500, 20000));

        Assert.Equal(_disk.Expected[30000..50000], buffer[500..20500]);
        Assert.False(buffer.AsSpan(0, 500).ContainsAnyExcept((byte)0xA5));
        Assert.False(buffer.AsSpan(20500).ContainsAnyExcept((byte)0xA5));
    }

    [Fact]
    public async Task ReadAcrossTheEnd_GivesWhatIsThere()
    {
        byte[] buffer = new byte[4096];
        _stream.Position = _disk.Length - 100;

        Assert.Equal(100, await _stream.ReadAsync(buffer));

        Assert.Equal(_disk.Expected[^100..], buffer[..100]);
        Assert.Equal(_disk.Length, _stream.Position);
    }

    [Fact]
    public async Task BadArguments_Throw()
    {
        await Assert.ThrowsAsync<ArgumentNullException>("buffer", () => ReadArrayAsync(null!, 0, 0));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("count", () => ReadArrayAsync(new byte[4], 2, 3));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _stream.Chain.ReadAtAsync(-1, new byte[1]).AsTask());
    }

    [Fact]
    public async Task CancelledToken_EndsEveryKindOfReadAndMovesNothing()
    {
        CancellationToken cancelled = new(canceled: true);
        byte[] buffer = new byte[100];
        _stream.Position = 50;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _stream.ReadAsync(buffer, cancelled).AsTask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReadArrayAsync(buffer, 0, 100, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _stream.Chain.ReadAtAsync(0, buffer, cancelled).AsTask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _stream.CopyToAsync(new MemoryStream(), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _stream.FlushAsync(cancelled));

        Assert.Equal(50, _stream.Position);
        Assert.Equal(new byte[100], buffer);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task TokenCancelledBetweenHostReads_EndsTheRead(int hostReads)
    {
        using CancellationTokenSource cancellation = new();
        WatchedStream host = new(_disk.Image);
        using Qcow2ChainStream stream = new(host);
        int before = host.Reads;
        host.Reading = reads =>
        {
            if (reads == before + hostReads)
            {
                cancellation.Cancel();
            }
        };

        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => stream.ReadAsync(new byte[_disk.Length], cancellation.Token).AsTask());

        Assert.Equal(cancellation.Token, e.CancellationToken);
        Assert.Equal(0, stream.Position);
        byte[] again = new byte[_disk.Length];
        Assert.Equal(_disk.Length, await stream.ReadAsync(again));
        Assert.Equal(_disk.Expected, again);
    }

    [Fact]
    public async Task ManyReadsAtOnceByPosition_EachGetsItsOwn()
    {
        byte[][] parts = [.. Enumerable.Range(0, 64).Select(_ => new byte[3000])];

        await Task.WhenAll(parts.Select((part, index) => _stream.Chain.ReadAtAsync(index * 2000, part).AsTask()));

        for (int index = 0; index < parts.Length; index++)
        {
            Assert.Equal(_disk.Expected[(index * 2000)..((index * 2000) + 3000)], parts[index]);
        }
    }

    // The overload with an array is what is tested here, whatever an analyzer prefers.
#pragma warning disable CA1835
    private Task<int> ReadArrayAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken = default) =>
        _stream.ReadAsync(buffer, offset, count, cancellationToken);
#pragma warning restore CA1835
}
