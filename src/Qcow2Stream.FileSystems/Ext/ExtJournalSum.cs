using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>The first checksums of a journal: a CRC-32, the highest bit first, over the descriptors and copies of a transaction.</summary>
internal readonly record struct ExtJournalSum
{
    private const uint Polynomial = 0x04C11DB7;
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(Of)];

    // Inverted, so that its default is that of nothing.
    private uint Inverted { get; init; }

    /// <summary>Goes on with a descriptor and its copies.</summary>
    public ExtJournalSum Add(ExtJournalLog log, ExtJournalBlock descriptor)
    {
        uint sum = Add(~Inverted, descriptor.Bytes);
        foreach (ExtJournalTag tag in log.Tags(descriptor))
        {
            sum = Add(sum, log.Read(tag.Place));
        }

        return new ExtJournalSum { Inverted = ~sum };
    }

    /// <summary>Whether it is what the end of the transaction says, if that says any.</summary>
    public bool IsRight(ExtJournalBlock commit)
    {
        uint told = BinaryPrimitives.ReadUInt32BigEndian(commit.Bytes.AsSpan(ExtJournalLayout.Commit.Checksum));
        return (commit.Bytes[ExtJournalLayout.Commit.ChecksumType], commit.Bytes[ExtJournalLayout.Commit.ChecksumLength]) switch
        {
            (0, 0) => told == 0,
            (ExtJournalLayout.Commit.Crc32, sizeof(uint)) => told == ~Inverted,
            _ => false,
        };
    }

    private static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            sum = (sum << 8) ^ Table[(sum >> 24) ^ value];
        }

        return sum;
    }

    private static uint Of(int value)
    {
        uint sum = (uint)value << 24;
        for (int bit = 0; bit < 8; bit++)
        {
            sum = (sum << 1) ^ (sum >> 31 == 0 ? 0 : Polynomial);
        }

        return sum;
    }
}
