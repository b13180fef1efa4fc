using System.Buffers.Binary;
using System.IO.Compression;

namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>The pixels of a PNG file of 8 bits a channel, not interlaced, as browsers write them.</summary>
internal sealed class Png
{
    private const int Signature = 8;
    private const int ChunkOverhead = 12;

    private readonly byte[] _rows;
    private readonly int _stride;
    private readonly int _pixel;

    private Png(int width, int height, int pixel, byte[] rows)
    {
        (Width, Height, _pixel, _rows) = (width, height, pixel, rows);
        _stride = width * pixel;
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>A pixel as 0xrrggbb.</summary>
    public int this[int x, int y] => (_rows[(y * _stride) + (x * _pixel)] << 16) | (_rows[(y * _stride) + (x * _pixel) + 1] << 8) | _rows[(y * _stride) + (x * _pixel) + 2];

    public static Png Read(string path)
    {
        ReadOnlySpan<byte> file = File.ReadAllBytes(path);
        ReadOnlySpan<byte> header = default;
        MemoryStream packed = new();
        for (int at = Signature; at < file.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file[at..]);
            ReadOnlySpan<byte> data = file.Slice(at + 8, length);
            if (file.Slice(at + 4, 4).SequenceEqual("IHDR"u8))
            {
                header = data;
            }
            else if (file.Slice(at + 4, 4).SequenceEqual("IDAT"u8))
            {
                packed.Write(data);
            }

            at += length + ChunkOverhead;
        }

        (int width, int height) = (BinaryPrimitives.ReadInt32BigEndian(header), BinaryPrimitives.ReadInt32BigEndian(header[4..]));
        Assert.Equal((8, 0), (header[8], header[12]));
        int pixel = header[9] switch { 2 => 3, 6 => 4, var type => throw new InvalidDataException($"colour type {type}") };
        packed.Position = 0;
        using ZLibStream rows = new(packed, CompressionMode.Decompress);
        return new Png(width, height, pixel, Unfilter(rows, width * pixel, height, pixel));
    }

    /// <summary>Section "Filtering" of the PNG specification.</summary>
    private static byte[] Unfilter(Stream rows, int stride, int height, int pixel)
    {
        byte[] result = new byte[stride * height];
        for (int y = 0; y < height; y++)
        {
            int filter = rows.ReadByte();
            Span<byte> row = result.AsSpan(y * stride, stride);
            ReadOnlySpan<byte> above = y == 0 ? new byte[stride] : result.AsSpan((y - 1) * stride, stride);
            rows.ReadExactly(row);
            for (int i = 0; i < stride; i++)
            {
                int left = i < pixel ? 0 : row[i - pixel];
                int corner = i < pixel ? 0 : above[i - pixel];
                row[i] += (byte)(filter switch
                {
                    0 => 0,
                    1 => left,
                    2 => above[i],
                    3 => (left + above[i]) / 2,
                    _ => Paeth(left, above[i], corner),
                });
            }
        }

        return result;
    }

    private static int Paeth(int left, int above, int corner)
    {
        int estimate = left + above - corner;
        (int a, int b, int c) = (Math.Abs(estimate - left), Math.Abs(estimate - above), Math.Abs(estimate - corner));
        return a <= b && a <= c ? left : b <= c ? above : corner;
    }
}
