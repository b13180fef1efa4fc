namespace Qcow2Stream.Tests.Streams;

public sealed class ReadOnlyTests : IDisposable
{
    private readonly SampleDisk _disk = SampleDisk.Single();
    private readonly byte[] _before;
    private readonly Qcow2ChainStream _stream;

    public ReadOnlyTests()
    {
        _before = [.. _disk.Image];

        // A host that could be written to.
        _stream = new Qcow2ChainStream(new MemoryStream(_disk.Image));
    }

    public void Dispose()
    {
        _stream.Dispose();
        Assert.Equal(_before, _disk.Image);
    }

    [Fact]
    public async Task EveryWrite_ThrowsNotSupported()
    {
        byte[] bytes = new byte[8];
        Assert.Throws<NotSupportedException>(() => _stream.Write(bytes, 0, 8));
        Assert.Throws<NotSupportedException>(() => _stream.Write(bytes.AsSpan()));
        Assert.Throws<NotSupportedException>(() => _stream.WriteByte(1));
        await Assert.ThrowsAsync<NotSupportedException>(async () => await _stream.WriteAsync(bytes.AsMemory()));
        await Assert.ThrowsAsync<NotSupportedException>(() => WriteArrayAsync(bytes));
        Assert.Throws<NotSupportedException>(() => _stream.EndWrite(_stream.BeginWrite(bytes, 0, 8, null, null)));
        Assert.Equal(0, _stream.Position);
    }

    [Fact]
    public async Task SetLengthAndClear_ThrowNotSupported()
    {
        Assert.Throws<NotSupportedException>(() => _stream.SetLength(0));
        Assert.Throws<NotSupportedException>(() => _stream.Clear(1));
        await Assert.ThrowsAsync<NotSupportedException>(async () => await _stream.ClearAsync(1));
        Assert.Equal(_disk.Length, _stream.Length);
    }

    [Fact]
    public async Task Flush_DoesNothing()
    {
        _stream.Position = 99;

        _stream.Flush();
        await _stream.FlushAsync();

        Assert.Equal(99, _stream.Position);
    }

    // The overload with an array is what is tested here, whatever an analyzer prefers.
#pragma warning disable CA1835
    private Task WriteArrayAsync(byte[] bytes) => _stream.WriteAsync(bytes, 0, bytes.Length, CancellationToken.None);
#pragma warning restore CA1835
}
