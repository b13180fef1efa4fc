using Qcow2Stream.Codecs;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Codecs;

/// <summary>No byte outside the input is read, and none outside the output: pages that must not be touched say so.</summary>
public class InflaterBoundsTests
{
    private const int MaxLength = 70_000;

    [LinuxFact]
    public void GoodStreams_StayWithinTheirBytes()
    {
        using GuardedMemory input = new(MaxLength);
        using GuardedMemory output = new(MaxLength);
        foreach (string kind in DeflateSamples.Kinds)
        {
            foreach (int length in (int[])[1, 7, 300, 1000, 4096, 65536])
            {
                byte[] content = DeflateSamples.Content(kind, length, seed: length);
                byte[] source = DeflateSamples.Compress(content);
                for (int cut = 0; cut < 50 && cut < source.Length; cut++)
                {
                    // Without the end of the last block, all of the content is there still.
                    bool expected = DeflateReference.TryInflate(source[..^cut], new byte[length]);
                    Assert.Equal(expected, Inflate(input, output, source.AsSpan(0, source.Length - cut), length));
                    Assert.True(!expected || IsContent(output, content));
                }

                for (int less = 0; less < 400 && less < length; less++)
                {
                    Assert.True(Inflate(input, output, source, length - less) && IsContent(output, content.AsSpan(0, length - less)));
                }
            }
        }
    }

    [LinuxFact]
    public void DamagedStreams_StayWithinTheirBytes()
    {
        using GuardedMemory input = new(MaxLength);
        using GuardedMemory output = new(MaxLength);
        Random random = new(41);
        for (int round = 0; round < 140; round++)
        {
            byte[] content = DeflateSamples.Content(DeflateSamples.Kinds[round % DeflateSamples.Kinds.Count], random.Next(1, 5000), round);
            byte[] source = DeflateSamples.Compress(content, random.Next(1, 10));
            for (int damage = 0; damage < 300; damage++)
            {
                byte[] damaged = [.. source];
                damaged[random.Next(source.Length)] = (byte)random.Next(256);
                damaged[random.Next(Math.Min(source.Length, 80))] ^= (byte)(1 << random.Next(8));
                _ = Inflate(input, output, damaged, content.Length);
            }
        }
    }

    /// <summary>Inflates from and to the end of the memory, and then from and to its start.</summary>
    private static bool Inflate(GuardedMemory input, GuardedMemory output, ReadOnlySpan<byte> source, int length)
    {
        source.CopyTo(input.AtStart(source.Length));
        bool first = Inflater.TryInflate(input.AtStart(source.Length), output.AtStart(length));
        source.CopyTo(input.AtEnd(source.Length));
        bool second = Inflater.TryInflate(input.AtEnd(source.Length), output.AtEnd(length));
        Assert.Equal(first, second);
        return second;
    }

    private static bool IsContent(GuardedMemory output, ReadOnlySpan<byte> content) => output.AtEnd(content.Length).SequenceEqual(content);
}
