using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Synchronous copies and comparisons of a disk whose host doesn't answer: a token ends them, the read that hangs or not.</summary>
public sealed class StalledReadTests
{
    // Several pieces, or one.
    [Theory]
    [InlineData(8 << 20)]
    [InlineData(64 << 10)]
    public async Task Token_EndsWhatWaitsForTheHost(int length)
    {
        Action<Qcow2Chain, CancellationToken>[] calls =
        [
            (chain, token) => chain.CopyTo(0, length, Stream.Null, cancellationToken: token),
            (chain, token) => chain.CopySparseTo(new MemoryStream(), cancellationToken: token),
            (chain, token) =>
            {
                using Qcow2Chain other = Qcow2Chain.Open(new MemoryStream(GuestDisk.Filled(length, 1)));
                chain.FindDifference(other, cancellationToken: token);
            },
        ];
        foreach (Action<Qcow2Chain, CancellationToken> call in calls)
        {
            using ManualResetEventSlim stalled = new();
            using ManualResetEventSlim goOn = new();
            StalledFile file = new(length, stalled, goOn);
            Qcow2Chain chain = Qcow2Chain.Open(file, new() { Format = ImageFormat.Raw });
            using CancellationTokenSource source = new();
            file.IsStalling = true;
            Task ended = Task.Run(() => call(chain, source.Token));
            await Task.Run(stalled.Wait);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ended);

            // It is still there, and does no harm when it ends.
            Assert.True(file.Reads > 0);
            goOn.Set();
            SpinWait.SpinUntil(() => file.Reads == 0);
            chain.Dispose();
        }
    }

    private sealed class StalledFile(int length, ManualResetEventSlim stalled, ManualResetEventSlim goOn) : HostFile
    {
        private int _reads;

        public volatile bool IsStalling;

        public override string? Path => null;

        public int Reads => Volatile.Read(ref _reads);

        protected override long ReadLength() => length;

        protected override int Read(long hostOffset, Span<byte> buffer)
        {
            Interlocked.Increment(ref _reads);
            if (IsStalling)
            {
                stalled.Set();
                goOn.Wait();
            }

            int count = (int)Math.Min(buffer.Length, length - hostOffset);
            buffer[..count].Fill(1);
            Interlocked.Decrement(ref _reads);
            return count;
        }

        protected override ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            new(Read(hostOffset, buffer.Span));

        protected override void Dispose(bool disposing)
        {
        }
    }
}
