using Qcow2Stream.Codecs;

namespace Qcow2Stream.Tests.Codecs;

/// <content>The comparison.</content>
internal sealed partial class ZstdReference
{
    private const int GuardLength = 64;
    private const byte Guard = 0xA5;

    /// <summary>How often the reference took what <see cref="ZstdDecoder"/> refused.</summary>
    public int RefusedAlone { get; private set; }

    /// <summary>
    /// Fails unless both give the same verdict and the same bytes, and nothing around the bytes is touched.
    /// </summary>
    /// <param name="mayRefuse">Whether the decoder may refuse what libzstd takes, and the format calls corrupt.</param>
    /// <returns>The verdict.</returns>
    public bool Check(byte[] source, int outputLength, string what, bool mayRefuse = false)
    {
        byte[] expected = new byte[outputLength];
        bool verdict = TryDecode(source, expected);

        byte[] around = new byte[outputLength + (2 * GuardLength)];
        around.AsSpan().Fill(Guard);
        Span<byte> actual = around.AsSpan(GuardLength, outputLength);
        bool decoded = ZstdDecoder.TryDecode(source, actual);
        if (decoded != verdict)
        {
            RefusedAlone++;
            if (decoded || !mayRefuse)
            {
                Assert.Fail($"{what}: libzstd says {verdict} to {Convert.ToHexString(source)} for {outputLength} bytes");
            }
        }

        if (decoded && !actual.SequenceEqual(expected))
        {
            Assert.Fail($"{what}: byte {actual.CommonPrefixLength(expected)} differs from libzstd's for {Convert.ToHexString(source)}");
        }

        if (around.AsSpan(0, GuardLength).ContainsAnyExcept(Guard)
            || around.AsSpan(GuardLength + outputLength).ContainsAnyExcept(Guard))
        {
            Assert.Fail($"{what}: bytes around the output were written");
        }

        return decoded;
    }
}
