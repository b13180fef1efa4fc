using Qcow2Stream.FileSystems.Btrfs;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>LZO1X, instruction by instruction; that what Linux compresses is read right, the trees of Btrfs' disks say.</summary>
public sealed class LzoTests
{
    private const int Streams = 500;
    private const int MostBytes = 200_000;

    /// <summary>Random streams of all instructions: what comes out is what they say.</summary>
    [Fact]
    public void EveryInstruction_DoesWhatItSays()
    {
        for (int seed = 0; seed < Streams; seed++)
        {
            LzoWriter writer = new(new Random(seed));
            while (writer.Expected.Count < MostBytes / (1 + (seed % 50)))
            {
                writer.WriteInstruction();
            }

            byte[] stored = writer.End();
            byte[] decoded = new byte[writer.Expected.Count];
            Assert.Equal(decoded.Length, Lzo.Decompress(stored, decoded));
            Assert.True(decoded.AsSpan().SequenceEqual(writer.Expected.ToArray()), $"seed {seed}");

            // Less room, and less of the stream, is damage.
            Assert.Throws<GuestException>(() => Lzo.Decompress(stored, new byte[decoded.Length - 1]));
            Assert.Throws<GuestException>(() => Lzo.Decompress(stored.AsSpan(0, stored.Length - 1), decoded));
            Assert.Throws<GuestException>(() => Lzo.Decompress([.. stored, 0], decoded));
        }
    }

    [Fact]
    public void Noise_IsDamageOrBytes()
    {
        Random random = new(1);
        byte[] decoded = new byte[4096];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] noise = new byte[random.Next(64)];
            random.NextBytes(noise);
            Exception? thrown = Record.Exception(() => Lzo.Decompress(noise, decoded));
            Assert.True(thrown is null or GuestException, $"{Convert.ToHexString(noise)}: {thrown}");
        }
    }

    /// <summary>Writes a stream, and keeps what must come of it.</summary>
    private sealed class LzoWriter(Random random)
    {
        private readonly List<byte> _stored = [];

        // How many literals came with the last instruction; null before the first.
        private int? _state;

        public List<byte> Expected { get; } = [];

        public void WriteInstruction()
        {
            if (_state is null)
            {
                int count = random.Next(1, 239);
                _stored.Add((byte)(17 + count));
                Literals(count);
                _state = Math.Min(count, 4);
                return;
            }

            switch (random.Next(5))
            {
                case 0 when _state == 0:
                    int many = random.Next(4, 1000);
                    WriteLength(0, many - 3, 15);
                    Literals(many);
                    _state = 4;
                    break;
                case 0 when _state == 4:
                    Match(3, 2049, 3072, distance => (0, distance - 2049, 2));
                    break;
                case 0:
                    Match(2, 1, 1024, distance => (0, distance - 1, 2));
                    break;
                case 1:
                    int medium = random.Next(5, 9);
                    Match(medium, 1, 2048, distance => ((medium - 1) << 5, distance - 1, 3));
                    break;
                case 2:
                    int few = random.Next(3, 5);
                    Match(few, 1, 2048, distance => ((few - 1) << 5, distance - 1, 3));
                    break;
                case 3:
                    LongMatch(32, 31, 1, 16384, distance => (0, distance - 1));
                    break;
                default:
                    LongMatch(16, 7, 16385, 49151, distance => ((distance - 16384) >> 14 << 3, (distance - 16384) & 0x3FFF));
                    break;
            }
        }

        public byte[] End()
        {
            if (_state is null)
            {
                WriteInstruction();
            }

            return [.. _stored, 17, 0, 0];
        }

        /// <summary>A match whose distance is in its own bits, so many of them, and in one byte.</summary>
        private void Match(int length, int least, int most, Func<int, (int Instruction, int Distance, int Bits)> form)
        {
            if (Distance(least, most) is not { } distance)
            {
                return;
            }

            (int instruction, int rest, int bits) = form(distance);
            int literals = random.Next(4);
            _stored.Add((byte)(instruction | ((rest & ((1 << bits) - 1)) << 2) | literals));
            _stored.Add((byte)(rest >> bits));
            Finish(distance, length, literals);
        }

        /// <summary>A match with a length of any size, whose distance is in two bytes.</summary>
        private void LongMatch(int kind, int most, int least, int farthest, Func<int, (int Bits, int Distance)> form)
        {
            if (Distance(least, farthest) is not { } distance)
            {
                return;
            }

            int length = random.Next(3, random.Next(2) == 0 ? 20 : 2000);
            (int bits, int rest) = form(distance);
            int literals = random.Next(4);
            WriteLength(kind | bits, length - 2, most);
            _stored.Add((byte)((rest << 2) | literals));
            _stored.Add((byte)(rest >> 6));
            Finish(distance, length, literals);
        }

        private int? Distance(int least, int most) => Expected.Count < least ? null : random.Next(least, Math.Min(most, Expected.Count) + 1);

        private void WriteLength(int instruction, int length, int most)
        {
            _stored.Add((byte)(instruction | (length <= most ? length : 0)));
            for (length -= most; length > 255; length -= 255)
            {
                _stored.Add(0);
            }

            if (length > 0)
            {
                _stored.Add((byte)length);
            }
        }

        private void Finish(int distance, int length, int literals)
        {
            for (int i = 0; i < length; i++)
            {
                Expected.Add(Expected[^distance]);
            }

            Literals(literals);
            _state = literals;
        }

        private void Literals(int count)
        {
            for (int i = 0; i < count; i++)
            {
                byte value = (byte)random.Next(256);
                _stored.Add(value);
                Expected.Add(value);
            }
        }
    }
}
