using System.Buffers.Binary;
using System.IO.Compression;
using Qcow2Stream.FileSystems.Btrfs;
using ZstdSharp;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Compressed extents decode to a whole number of sectors, where Linux compressed what came before the end of the file.</summary>
public sealed class BtrfsDecoderTests
{
    private const int SectorSize = 4096;

    /// <summary>Decoders write more than they say: what they leave past the end of the data is not the file's.</summary>
    [Theory]
    [InlineData(1, 4422)]
    [InlineData(2, 4422)]
    [InlineData(3, 4422)]
    [InlineData(1, 4097)]
    [InlineData(2, 4097)]
    [InlineData(3, 4097)]
    public void DataThatEndsInASector_IsFollowedByZeros(int compression, int length)
    {
        Random random = new(length);
        byte[] content = [.. Enumerable.Range(0, length).Select(i => i < length - 600 ? (byte)(i / 7) : (byte)random.Next(256))];
        byte[] stored = new byte[3 * SectorSize];
        Compress(compression, content).CopyTo(stored, 0);
        byte[] decoded = new byte[2 * SectorSize];
        decoded.AsSpan().Fill(0xFF);
        BtrfsDecoder.Decode((BtrfsCompression)compression, stored, decoded, SectorSize, SectorSize + 1);
        Assert.Equal(content, decoded[..length]);
        Assert.True(!decoded.AsSpan(length).ContainsAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void DataThatIsTooShort_IsDamage(int compression)
    {
        byte[] stored = Compress(compression, new byte[SectorSize]);
        Assert.StartsWith(
            $"only {SectorSize} of ",
            Assert.Throws<GuestException>(() => BtrfsDecoder.Decode((BtrfsCompression)compression, stored, new byte[2 * SectorSize], SectorSize, SectorSize + 1)).Message,
            StringComparison.Ordinal);
    }

    /// <summary>A stream that ends before it says so is damage, however little is missing: Linux lets none out, and zeros came.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void DataThatIsCutShort_IsDamage(int compression)
    {
        byte[] content = [.. Enumerable.Range(0, 2 * SectorSize).Select(i => (byte)(i * i >> 5))];
        byte[] stored = Compress(compression, content[..^100]);
        for (int cut = 1; cut < 60; cut++)
        {
            Assert.StartsWith(
                "its compressed data is damaged",
                Assert.Throws<GuestException>(() => Decode(compression, stored[..^cut], new byte[2 * SectorSize])).Message,
                StringComparison.Ordinal);
        }
    }

    /// <summary>What is damaged is told in words that fit an extent, whatever decodes it.</summary>
    [Fact]
    public void DamagedZlib_IsToldInOwnWords()
    {
        byte[] stored = Compress(1, new byte[SectorSize]);
        stored[^1] ^= 1;
        Assert.Equal("its compressed data is damaged", Assert.Throws<GuestException>(() => Decode(1, stored, new byte[2 * SectorSize])).Message);
        byte[] garbage = [.. "garbage!!"u8];
        Assert.Equal("its compressed data is damaged", Assert.Throws<GuestException>(() => Decode(1, garbage, new byte[SectorSize])).Message);
    }

    private static void Decode(int compression, byte[] stored, byte[] decoded) =>
        BtrfsDecoder.Decode((BtrfsCompression)compression, stored, decoded, SectorSize, 1);

    internal static byte[] Compress(int compression, byte[] content)
    {
        switch (compression)
        {
            case 1:
                using (MemoryStream zlib = new())
                {
                    using (ZLibStream stream = new(zlib, CompressionLevel.Optimal))
                    {
                        stream.Write(content);
                    }

                    return zlib.ToArray();
                }

            case 3:
                using (Compressor compressor = new())
                {
                    return compressor.Wrap(content).ToArray();
                }

            default:
                return Lzo(content);
        }
    }

    /// <summary>Literals only, a sector's worth at a time.</summary>
    private static byte[] Lzo(byte[] content)
    {
        List<byte> stored = [0, 0, 0, 0];
        foreach (byte[] sector in content.Chunk(SectorSize))
        {
            int left = SectorSize - (stored.Count % SectorSize);
            stored.AddRange(new byte[left < sizeof(uint) ? left : 0]);
            List<byte> part = [];
            if (sector.Length <= 238)
            {
                part.Add((byte)(17 + sector.Length));
            }
            else
            {
                part.Add(0);
                int rest = sector.Length - 18;
                for (; rest > 255; rest -= 255)
                {
                    part.Add(0);
                }

                part.Add((byte)rest);
            }

            byte[] length = new byte[sizeof(uint)];
            BinaryPrimitives.WriteInt32LittleEndian(length, part.Count + sector.Length + 3);
            stored.AddRange([.. length, .. part, .. sector, 17, 0, 0]);
        }

        byte[] bytes = [.. stored];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        return bytes;
    }
}
