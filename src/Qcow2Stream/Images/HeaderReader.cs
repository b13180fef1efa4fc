using System.Buffers;
using Qcow2Stream.Format;

namespace Qcow2Stream.Images;

/// <summary>Reads the header of a file that may be an image: all that is needed to know what it is.</summary>
internal static class HeaderReader
{
    // Enough for the header, its extensions and the backing file name of nearly every image in one read.
    private const int HeaderGuess = 4096;

    /// <summary>Decides the format, where none is recorded, and reads and checks the header of a qcow2 image, and nothing else of it.</summary>
    /// <returns>The format; and the header if it is qcow2.</returns>
    public static async ValueTask<(string Format, Qcow2Header? Header)> ReadAsync(
        HostFile file, long fileLength, string? format, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken)
    {
        int length = (int)Math.Min(HeaderGuess, fileLength);
        while (true)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
            try
            {
                int read = await file.ReadAtAsync(0, buffer.AsMemory(0, length), async, cancellationToken).ConfigureAwait(false);
                if (read < length)
                {
                    // Nor do its first bytes, if they are not all there, say what it is.
                    throw new Qcow2FormatException("the file became shorter while it was opened", file.Path, hostOffset: read);
                }

                ReadOnlySpan<byte> start = buffer.AsSpan(0, read);
                format ??= Probe(start);
                if (format != FormatNames.Qcow2)
                {
                    return (format, null);
                }

                if (Qcow2HeaderParser.Parse(start, fileLength, options.HeaderLimits, file.Path, out int needed, options.Lenient) is { } header)
                {
                    return (format, header);
                }

                length = needed;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    /// <summary>The magic decides between raw and QEMU's own two formats: what else a file may look like is not asked.</summary>
    private static string Probe(ReadOnlySpan<byte> start) =>
        !Qcow2HeaderParser.HasMagic(start) ? FormatNames.Raw
        : Qcow1Header.HasVersion(start) ? FormatNames.Qcow1
        : FormatNames.Qcow2;
}
