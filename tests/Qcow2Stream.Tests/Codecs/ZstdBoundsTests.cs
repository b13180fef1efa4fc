using Qcow2Stream.Codecs;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Codecs;

/// <summary>No byte outside the input is read, and none outside the output: pages that must not be touched say so.</summary>
public class ZstdBoundsTests
{
    private const int MaxLength = 70_000;

    [LinuxFact]
    public void GoodFrames_StayWithinTheirBytes()
    {
        using GuardedMemory input = new(MaxLength);
        using GuardedMemory output = new(MaxLength);
        foreach (string kind in DeflateSamples.Kinds)
        {
            foreach (int length in (int[])[0, 1, 7, 63, 300, 1000, 4096, 65536])
            {
                byte[] content = DeflateSamples.Content(kind, length, seed: length);
                foreach (int level in (int[])[-5, 1, 3, 12])
                {
                    byte[] source = ZstdSamples.Compress(content, level);
                    Assert.True(Decode(input, output, source, length) && output.AtEnd(length).SequenceEqual(content));
                    for (int cut = 1; cut < 50 && cut < source.Length; cut++)
                    {
                        Assert.False(Decode(input, output, source.AsSpan(0, source.Length - cut), length));
                    }

                    for (int less = 1; less < 40 && less < length; less++)
                    {
                        Assert.False(Decode(input, output, source, length - less));
                    }
                }
            }
        }
    }

    [LinuxFact]
    public void DamagedFrames_StayWithinTheirBytes()
    {
        using GuardedMemory input = new(MaxLength);
        using GuardedMemory output = new(MaxLength);
        Random random = new(41);
        for (int round = 0; round < 200; round++)
        {
            byte[] content = DeflateSamples.Content(DeflateSamples.Kinds[round % DeflateSamples.Kinds.Count], random.Next(1, 5000), round);
            byte[] source = ZstdSamples.Any(content, random);
            for (int damage = 0; damage < 300; damage++)
            {
                byte[] damaged = [.. source];
                damaged[random.Next(source.Length)] = (byte)random.Next(256);
                damaged[random.Next(Math.Min(source.Length, 80))] ^= (byte)(1 << random.Next(8));
                _ = Decode(input, output, damaged, content.Length);
            }
        }
    }

    /// <summary>Decodes from and to the end of the memory, and then from and to its start.</summary>
    private static bool Decode(GuardedMemory input, GuardedMemory output, ReadOnlySpan<byte> source, int length)
    {
        source.CopyTo(input.AtStart(source.Length));
        bool first = ZstdDecoder.TryDecode(input.AtStart(source.Length), output.AtStart(length));
        source.CopyTo(input.AtEnd(source.Length));
        bool second = ZstdDecoder.TryDecode(input.AtEnd(source.Length), output.AtEnd(length));
        Assert.Equal(first, second);
        return second;
    }
}
