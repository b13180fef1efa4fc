using System.Buffers.Binary;
using System.Numerics;
using Qcow2Stream.Format;

namespace Qcow2Stream.Tests.Check;

public sealed class RefcountLayoutTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void EveryWidth_IsReadAsTheSpecificationSays(int order)
    {
        byte[] block = new byte[64];
        new Random(order).NextBytes(block);
        ulong[] words = [.. Enumerable.Range(0, 8).Select(i => BinaryPrimitives.ReadUInt64BigEndian(block.AsSpan(i * 8)))];
        RefcountLayout layout = new(order);
        int bits = 1 << order;
        for (int i = 0; i < block.Length * 8 / bits; i++)
        {
            // Less than a byte: from its least significant bit on. Bytes: big-endian.
            BigInteger expected = bits < 8
                ? (block[i * bits / 8] >> (i * bits % 8)) & ((1 << bits) - 1)
                : new BigInteger(block.AsSpan(i * bits / 8, bits / 8), isUnsigned: true, isBigEndian: true);
            Assert.Equal((ulong)expected, layout.Get(words, i));
        }

        Assert.Equal(BigInteger.Pow(2, bits) - 1, layout.Max);
        Assert.Equal((1 << 16) * 8 / bits, 1 << layout.PerBlockLog2(16));
    }
}
