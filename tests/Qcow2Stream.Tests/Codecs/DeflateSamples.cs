using System.IO.Compression;
using System.Text;

namespace Qcow2Stream.Tests.Codecs;

/// <summary>Contents of several kinds, and their compressed forms.</summary>
internal static class DeflateSamples
{
    public static IReadOnlyList<string> Kinds { get; } = ["zeros", "noise", "nibbles", "words", "skewed", "periodic", "mixed"];

    public static byte[] Content(string kind, int length, int seed)
    {
        byte[] content = new byte[length];
        Random random = new(seed);
        switch (kind)
        {
            case "noise":
                random.NextBytes(content);
                break;
            case "nibbles":
                for (int i = 0; i < length; i++)
                {
                    content[i] = (byte)random.Next(16);
                }

                break;
            case "words":
                string[] words = [.. Enumerable.Range(0, 300).Select(i => $"word{i * 7919 % 1000} ")];
                StringBuilder text = new();
                while (text.Length < length)
                {
                    text.Append(words[random.Next(random.Next(1, words.Length))]);
                }

                Encoding.ASCII.GetBytes(text.ToString().AsSpan(0, length), content);
                break;
            case "skewed":
                // Each value half as frequent as the one before, which makes codes of all lengths.
                for (int i = 0; i < length; i++)
                {
                    content[i] = (byte)(37 * int.LeadingZeroCount(random.Next()));
                }

                break;
            case "periodic":
                int period = random.Next(1, 70);
                for (int i = 0; i < length; i++)
                {
                    content[i] = i < period ? (byte)random.Next(256) : content[i - period];
                }

                break;
            case "mixed":
                string[] parts = ["zeros", "noise", "nibbles", "words", "skewed", "periodic"];
                for (int i = 0; i < length;)
                {
                    byte[] part = Content(parts[random.Next(parts.Length)], Math.Min(length - i, random.Next(1, 3000)), random.Next());
                    part.CopyTo(content, i);
                    i += part.Length;
                }

                break;
        }

        return content;
    }

    /// <param name="flushes">How many empty blocks come in between.</param>
    public static byte[] Compress(byte[] content, ZLibCompressionOptions options, int flushes = 0)
    {
        using MemoryStream compressed = new();
        using (DeflateStream deflate = new(compressed, options, leaveOpen: true))
        {
            int written = 0;
            for (int part = 0; part <= flushes; part++)
            {
                int end = (int)((long)content.Length * (part + 1) / (flushes + 1));
                deflate.Write(content.AsSpan(written..end));
                written = end;
                if (part < flushes)
                {
                    deflate.Flush();
                }
            }
        }

        return compressed.ToArray();
    }

    public static byte[] Compress(byte[] content, int level = 6, ZLibCompressionStrategy strategy = default) =>
        Compress(content, new ZLibCompressionOptions { CompressionLevel = level, CompressionStrategy = strategy });
}
