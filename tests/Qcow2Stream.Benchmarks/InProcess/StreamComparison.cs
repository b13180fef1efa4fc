namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>Whether what is measured gives the bytes that it should.</summary>
internal static class StreamComparison
{
    private const int ChunkSize = 1 << 20;

    public static void SameBytes(Stream actual, Stream expected, string what)
    {
        byte[] actualBytes = new byte[ChunkSize];
        byte[] expectedBytes = new byte[ChunkSize];
        actual.Position = 0;
        expected.Position = 0;
        WrongResultException.ThrowUnless(actual.Length == expected.Length, $"{what} is {actual.Length} bytes long, not {expected.Length}");
        while (true)
        {
            long position = expected.Position;
            int count = expected.ReadAtLeast(expectedBytes, ChunkSize, throwOnEndOfStream: false);
            actual.ReadExactly(actualBytes, 0, count);
            WrongResultException.ThrowUnless(
                actualBytes.AsSpan(0, count).SequenceEqual(expectedBytes.AsSpan(0, count)), $"{what} is wrong somewhere in 1 MiB at {position}");
            if (count < ChunkSize)
            {
                return;
            }
        }
    }

    /// <summary>Shows that what was read into <paramref name="actual"/> is what a raw file holds at a position.</summary>
    public static void SameBlock(ReadOnlySpan<byte> actual, Stream raw, long position, string what)
    {
        byte[] expected = new byte[actual.Length];
        raw.Position = position;
        raw.ReadExactly(expected);
        WrongResultException.ThrowUnless(actual.SequenceEqual(expected), $"{what} is wrong in {actual.Length} bytes at {position}");
    }
}
