using System.Globalization;
using System.Text;

namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>
/// Bytes in the form of xxd, squeezed: a run of equal lines is its first line and a star, as od and hexdump have it.
/// (xxd -a squeezes only zeros, and test disks are mostly repeated patterns.)
/// </summary>
internal static class HexDump
{
    private const int LineLength = 16;

    public static string Of(ReadOnlySpan<byte> bytes, long startAddress = 0)
    {
        var builder = new StringBuilder();
        for (int position = 0; position < bytes.Length;)
        {
            ReadOnlySpan<byte> line = bytes[position..Math.Min(position + LineLength, bytes.Length)];
            int end = position + line.Length;
            while (end + LineLength <= bytes.Length && line.SequenceEqual(bytes.Slice(end, LineLength)))
            {
                end += LineLength;
            }

            AppendRun(builder, startAddress + position, line, (end - position + LineLength - 1) / LineLength, end == bytes.Length);
            position = end;
        }

        return builder.ToString();
    }

    /// <summary>The bytes of a stream from <paramref name="offset"/> on, at their own addresses.</summary>
    public static string Of(Stream stream, long offset, int length)
    {
        byte[] bytes = new byte[length];
        stream.Position = offset;
        stream.ReadExactly(bytes);
        return Of(bytes, offset);
    }

    // A star stands for two lines or more; at the end of the data the last line is shown too, to show where that is.
    private static void AppendRun(StringBuilder builder, long address, ReadOnlySpan<byte> line, int count, bool atEnd)
    {
        int shownInFull = atEnd ? 3 : 2;
        if (count <= shownInFull)
        {
            for (int index = 0; index < count; index++)
            {
                AppendLine(builder, address + (index * LineLength), line);
            }

            return;
        }

        AppendLine(builder, address, line);
        builder.Append("*\n");
        if (atEnd)
        {
            AppendLine(builder, address + ((count - 1) * LineLength), line);
        }
    }

    private static void AppendLine(StringBuilder builder, long address, ReadOnlySpan<byte> line)
    {
        builder.Append(CultureInfo.InvariantCulture, $"{address:x8}: ");
        for (int index = 0; index < LineLength; index++)
        {
            if (index < line.Length)
            {
                builder.Append(CultureInfo.InvariantCulture, $"{line[index]:x2}");
            }
            else
            {
                builder.Append("  ");
            }

            if (index % 2 == 1)
            {
                builder.Append(' ');
            }
        }

        builder.Append(' ');
        foreach (byte value in line)
        {
            builder.Append(value is >= 0x20 and < 0x7f ? (char)value : '.');
        }

        builder.Append('\n');
    }
}
