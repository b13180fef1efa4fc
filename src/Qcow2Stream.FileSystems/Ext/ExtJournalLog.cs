using System.Buffers.Binary;
using System.Numerics;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>
/// The log of a journal: a ring of transactions, each of descriptors with the copies of blocks that they describe, of lists of revoked blocks, and of a
/// block that ends it.
/// </summary>
internal sealed class ExtJournalLog
{
    private readonly ExtVolume _volume;
    private readonly ExtContent _content;

    /// <exception cref="GuestException">The journal is damaged.</exception>
    public ExtJournalLog(ExtVolume volume, ExtInode inode)
    {
        (_volume, _content) = (volume, new ExtContent(volume, inode));
        Superblock = new ExtJournalSuperblock(
            Read(0)[..ExtJournalLayout.Superblock.Length], volume.BlockSize, Math.Min(inode.Length / volume.BlockSize, (long)volume.BlockCount));
    }

    /// <summary>The first block.</summary>
    public ExtJournalSuperblock Superblock { get; }

    /// <summary>The blocks from the start of the log that are no copies, up to the first that isn't of the next transaction.</summary>
    /// <exception cref="GuestException">It can't be read, or never ends.</exception>
    public IEnumerable<ExtJournalBlock> Blocks()
    {
        (uint place, uint sequence) = (Superblock.Start, Superblock.Sequence);
        for (long left = Superblock.End - Superblock.First; place != 0;)
        {
            byte[] bytes = Read(place);
            ExtJournalBlockType type = (ExtJournalBlockType)Long(bytes, ExtJournalLayout.Header.Type);
            if (Long(bytes, 0) != ExtJournalLayout.Header.Magic || Long(bytes, ExtJournalLayout.Header.Sequence) != sequence
                || type is not (ExtJournalBlockType.Descriptor or ExtJournalBlockType.Commit or ExtJournalBlockType.Revoke))
            {
                yield break;
            }

            ExtJournalBlock block = new(type, sequence, place, bytes);
            yield return block;
            long length = 1 + (type == ExtJournalBlockType.Descriptor ? Tags(block).Count() : 0);
            left -= length;
            if (left < 0)
            {
                throw new GuestException($"transaction {sequence} is longer than its log");
            }

            place = After(place, length);
            sequence += type == ExtJournalBlockType.Commit ? 1u : 0;
        }
    }

    /// <summary>The tags of a descriptor.</summary>
    public IEnumerable<ExtJournalTag> Tags(ExtJournalBlock descriptor)
    {
        int length = Superblock.TagLength;
        int end = descriptor.Bytes.Length - (Superblock.HasBlockChecksums ? ExtJournalLayout.TailLength : 0);
        uint place = descriptor.Place;
        for (int at = ExtJournalLayout.Header.Length, flags = 0; at + length <= end && (flags & ExtJournalLayout.Tag.IsLast) == 0;)
        {
            ReadOnlyMemory<byte> tag = descriptor.Bytes.AsMemory(at, length);
            flags = BinaryPrimitives.ReadUInt16BigEndian(tag.Span[ExtJournalLayout.Tag.Flags..]);
            place = After(place, 1);
            yield return new ExtJournalTag(BlockOf(tag.Span), place, descriptor.Sequence, (flags & ExtJournalLayout.Tag.IsEscaped) != 0, SumOf(tag.Span));
            at += length + ((flags & ExtJournalLayout.Tag.HasSameUuid) == 0 ? ExtJournalLayout.Superblock.UuidLength : 0);
        }
    }

    /// <summary>The blocks that a list revokes.</summary>
    public IEnumerable<ulong> Revoked(ExtJournalBlock list)
    {
        int length = Superblock.Is64Bit ? sizeof(ulong) : sizeof(uint);
        uint used = Long(list.Bytes, ExtJournalLayout.Revoke.Used);
        if (used > list.Bytes.Length - (Superblock.HasBlockChecksums ? ExtJournalLayout.TailLength : 0))
        {
            throw new GuestException($"what transaction {list.Sequence} revokes is damaged");
        }

        for (int at = ExtJournalLayout.Revoke.Blocks; at + length <= used; at += length)
        {
            yield return Superblock.Is64Bit ? BinaryPrimitives.ReadUInt64BigEndian(list.Bytes.AsSpan(at)) : Long(list.Bytes, at);
        }
    }

    /// <summary>Whether the checksum of a descriptor, of a list of revoked blocks, or of the end of a transaction is right, if it has one of its own.</summary>
    public bool IsRight(ExtJournalBlock block)
    {
        if (!Superblock.HasBlockChecksums)
        {
            return true;
        }

        int place = block.Type == ExtJournalBlockType.Commit ? ExtJournalLayout.Commit.Checksum : block.Bytes.Length - ExtJournalLayout.TailLength;
        uint sum = BitOperations.Crc32C(Castagnoli.Add(Superblock.Seed, block.Bytes.AsSpan(0, place)), 0u);
        return Castagnoli.Add(sum, block.Bytes.AsSpan(place + sizeof(uint))) == Long(block.Bytes, place);
    }

    /// <summary>Whether small transactions follow the last whole one, in their own place: their head is for the transaction that it comes before.</summary>
    public bool HasFastCommits(uint sequence)
    {
        if (Superblock is not { HasFastCommits: true, Start: not 0 })
        {
            return false;
        }

        byte[] head = Read(Superblock.FirstFastCommit);
        return BinaryPrimitives.ReadUInt16LittleEndian(head) == ExtJournalLayout.FastCommit.Head
            && BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(ExtJournalLayout.FastCommit.Sequence)) == sequence;
    }

    /// <summary>Reads a copy of a block, and makes it what it was.</summary>
    /// <exception cref="GuestException">Its checksum is wrong.</exception>
    public byte[] Copy(ExtJournalTag tag)
    {
        byte[] copy = Read(tag.Place);
        if (tag.Checksum is { } told)
        {
            uint sum = Castagnoli.Add(BitOperations.Crc32C(Superblock.Seed, BinaryPrimitives.ReverseEndianness(tag.Sequence)), copy);
            if (told != (Superblock.HasThirdChecksums ? sum : (ushort)sum))
            {
                throw new GuestException($"the checksum of block {tag.Block} is wrong in transaction {tag.Sequence}");
            }
        }

        if (tag.IsEscaped)
        {
            BinaryPrimitives.WriteUInt32BigEndian(copy, ExtJournalLayout.Header.Magic);
        }

        return copy;
    }

    /// <summary>Reads a block of the journal.</summary>
    /// <exception cref="GuestException">It has none there.</exception>
    public byte[] Read(uint place)
    {
        (ulong block, _, _) = _content.Locate((long)place * _volume.BlockSize);
        return block != 0 ? _volume.ReadBlock(block) : throw new GuestException($"it has no block {place}");
    }

    private uint After(uint place, long count)
    {
        long next = place + count;
        long length = Superblock.End - Superblock.First;
        return (uint)(next < Superblock.End ? next : Superblock.First + ((next - Superblock.End) % length));
    }

    private ulong BlockOf(ReadOnlySpan<byte> tag) => BinaryPrimitives.ReadUInt32BigEndian(tag)
        | (Superblock.Is64Bit ? (ulong)BinaryPrimitives.ReadUInt32BigEndian(tag[ExtJournalLayout.Tag.HighBlock..]) << 32 : 0);

    private uint? SumOf(ReadOnlySpan<byte> tag) =>
        Superblock.HasThirdChecksums ? BinaryPrimitives.ReadUInt32BigEndian(tag[ExtJournalLayout.Tag.Checksum..])
        : Superblock.HasSecondChecksums ? BinaryPrimitives.ReadUInt16BigEndian(tag[ExtJournalLayout.Tag.ShortChecksum..])
        : null;

    private static uint Long(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
}
