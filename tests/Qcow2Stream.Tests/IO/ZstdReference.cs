using Qcow2Stream.IO;
using ZstdSharp.Unsafe;

namespace Qcow2Stream.Tests.IO;

/// <summary>What libzstd's streaming decoder, as ZstdSharp has it, makes of the same bytes.</summary>
internal sealed unsafe class ZstdReference : IDisposable
{
    private const int GuardLength = 64;
    private const byte Guard = 0xA5;
    private const int WindowLogLimit = 27;

    private readonly ZSTD_DCtx_s* _context = Methods.ZSTD_createDCtx();

    /// <summary>How often the reference took what <see cref="ZstdDecoder"/> refused.</summary>
    public int RefusedAlone { get; private set; }

    /// <summary>Decodes as <see cref="ZstdDecoder.TryDecode(ReadOnlySpan{byte}, Span{byte}, int)"/> should.</summary>
    public bool TryDecode(ReadOnlySpan<byte> source, Span<byte> cluster)
    {
        Methods.ZSTD_DCtx_reset(_context, ZSTD_ResetDirective.ZSTD_reset_session_only);
        Methods.ZSTD_DCtx_setParameter(_context, ZSTD_dParameter.ZSTD_d_windowLogMax, WindowLogLimit);
        fixed (byte* from = source)
        fixed (byte* to = cluster)
        {
            ZSTD_inBuffer_s input = new() { src = from, size = (nuint)source.Length };
            ZSTD_outBuffer_s output = new() { dst = to, size = (nuint)cluster.Length };
            while (true)
            {
                (nuint read, nuint written) = (input.pos, output.pos);
                nuint result = Methods.ZSTD_decompressStream(_context, &output, &input);
                if (Methods.ZSTD_isError(result))
                {
                    return false;
                }

                if (output.pos == output.size)
                {
                    return result == 0;
                }

                if (input.pos == read && output.pos == written)
                {
                    return false;
                }
            }
        }
    }

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

    public void Dispose() => Methods.ZSTD_freeDCtx(_context);
}
