using Qcow2Stream.Codecs;

namespace Qcow2Stream.Tests.Codecs;

/// <content>The comparison.</content>
internal static partial class DeflateReference
{
    private const int GuardLength = 64;
    private const byte Guard = 0xA5;

    /// <summary>
    /// Fails unless both give the same verdict and the same bytes, and nothing around the bytes is touched.
    /// </summary>
    /// <returns>The verdict.</returns>
    public static bool Check(byte[] source, int outputLength, string what)
    {
        byte[] expected = new byte[outputLength];
        bool verdict = TryInflate(source, expected);

        byte[] around = new byte[outputLength + (2 * GuardLength)];
        around.AsSpan().Fill(Guard);
        Span<byte> actual = around.AsSpan(GuardLength, outputLength);
        if (Inflater.TryInflate(source, actual) != verdict)
        {
            Assert.Fail($"{what}: DeflateStream says {verdict} to {Convert.ToHexString(source)} for {outputLength} bytes");
        }

        if (verdict && !actual.SequenceEqual(expected))
        {
            Assert.Fail($"{what}: byte {actual.CommonPrefixLength(expected)} differs from DeflateStream's");
        }

        if (around.AsSpan(0, GuardLength).ContainsAnyExcept(Guard)
            || around.AsSpan(GuardLength + outputLength).ContainsAnyExcept(Guard))
        {
            Assert.Fail($"{what}: bytes around the output were written");
        }

        return verdict;
    }
}
