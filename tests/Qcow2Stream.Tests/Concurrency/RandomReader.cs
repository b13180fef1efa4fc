namespace Qcow2Stream.Tests.Concurrency;

/// <summary>Reads ranges here and there, sync and async in turn, and holds each against what must be there.</summary>
internal static class RandomReader
{
    private const int MaxRead = 40_000;

    public static async Task RunAsync(Qcow2Chain chain, byte[] expected, int seed, int reads)
    {
        Random random = new(seed);
        byte[] buffer = new byte[MaxRead];
        using Qcow2ChainStream stream = chain.OpenStream();
        for (int index = 0; index < reads; index++)
        {
            int start = random.Next(expected.Length);

            // Mostly as file systems read, now and then over many clusters.
            int count = random.Next(4) == 0 ? random.Next(MaxRead) : random.Next(1, 4097);
            int available = Math.Min(count, expected.Length - start);
            buffer.AsSpan(0, count).Fill(0xA5);
            stream.Position = start;
            int read = random.Next(4) switch
            {
                0 => chain.ReadAt(start, buffer.AsSpan(0, count)),
                1 => await chain.ReadAtAsync(start, buffer.AsMemory(0, count)),
                2 => stream.Read(buffer.AsSpan(0, count)),
                _ => await stream.ReadAsync(buffer.AsMemory(0, count)),
            };
            Assert.Equal(available, read);
            int same = buffer.AsSpan(0, available).CommonPrefixLength(expected.AsSpan(start, available));
            Assert.True(same == available, $"Reader {seed}: the byte at {start + same} of the read at {start} is wrong.");
        }
    }
}
