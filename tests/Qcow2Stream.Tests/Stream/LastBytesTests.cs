namespace Qcow2Stream.Tests.Streams;

/// <summary>The end of the longest disk that there can be: no position past it is a number.</summary>
public sealed class LastBytesTests
{
    private const int Count = 7680;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CopyOfThem_IsWhole(bool async)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(new LongestFile(), new Qcow2OpenOptions { Format = ImageFormat.Raw });
        using MemoryStream copy = new();
        if (async)
        {
            await chain.CopyToAsync(chain.Length - Count, long.MaxValue, copy);
        }
        else
        {
            chain.CopyTo(chain.Length - Count, long.MaxValue, copy);
        }

        Assert.Equal(Count, copy.Length);
        Assert.All(copy.ToArray(), b => Assert.Equal(7, b));
    }

    private sealed class LongestFile : HostFile
    {
        public override string? Path => null;

        protected override long ReadLength() => long.MaxValue;

        protected override int Read(long hostOffset, Span<byte> buffer)
        {
            int count = (int)Math.Min(buffer.Length, long.MaxValue - hostOffset);
            buffer[..count].Fill(7);
            return count;
        }

        protected override ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            new(Read(hostOffset, buffer.Span));

        protected override void Dispose(bool disposing)
        {
        }
    }
}
