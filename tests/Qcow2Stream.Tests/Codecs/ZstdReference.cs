using Qcow2Stream.Codecs;
using ZstdSharp.Unsafe;

namespace Qcow2Stream.Tests.Codecs;

/// <summary>What libzstd's streaming decoder, as ZstdSharp has it, makes of the same bytes.</summary>
internal sealed unsafe partial class ZstdReference : IDisposable
{
    private const int WindowLogLimit = 27;

    private readonly ZSTD_DCtx_s* _context = Methods.ZSTD_createDCtx();

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

    public void Dispose() => Methods.ZSTD_freeDCtx(_context);
}
