using System.Buffers.Binary;
using System.Numerics;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>The first block of a journal: where its log begins and ends, and how its blocks are written.</summary>
internal sealed class ExtJournalSuperblock
{
    private const uint FirstChecksums = 0x1;

    // Revoked blocks, which need not be asked for, and what else Linux knows.
    private const uint Revokes = 0x1;
    private const uint SixtyFourBit = 0x2;
    private const uint AsyncCommit = 0x4;
    private const uint SecondChecksums = 0x8;
    private const uint ThirdChecksums = 0x10;
    private const uint FastCommits = 0x20;
    private const uint KnownFeatures = Revokes | SixtyFourBit | AsyncCommit | SecondChecksums | ThirdChecksums | FastCommits;

    // As many as Linux takes if the superblock doesn't say, and the least that it leaves for the log.
    private const uint UsualFastCommitBlocks = 256;
    private const uint MinBlocks = 1024;

    private readonly byte[] _bytes;

    /// <param name="bytes">Its bytes.</param>
    /// <param name="blockSize">The size of the volume's blocks.</param>
    /// <param name="blocks">How many blocks the journal has.</param>
    /// <exception cref="GuestException">It is damaged, or has what isn't known.</exception>
    public ExtJournalSuperblock(byte[] bytes, int blockSize, long blocks)
    {
        _bytes = bytes;
        ExtJournalBlockType type = (ExtJournalBlockType)Long(ExtJournalLayout.Header.Type);
        if (Long(0) != ExtJournalLayout.Header.Magic
            || type is not (ExtJournalBlockType.FirstSuperblock or ExtJournalBlockType.Superblock)
            || Long(ExtJournalLayout.Superblock.BlockSize) != blockSize)
        {
            throw new GuestException("its superblock is damaged");
        }

        bool hasFeatures = type == ExtJournalBlockType.Superblock;
        uint features = hasFeatures ? Long(ExtJournalLayout.Superblock.IncompatibleFeatures) : 0;
        uint readOnly = hasFeatures ? Long(ExtJournalLayout.Superblock.ReadOnlyFeatures) : 0;
        if ((features & ~KnownFeatures) != 0 || readOnly != 0)
        {
            throw new GuestException($"it has features that are not handled (incompatible features 0x{features & ~KnownFeatures:x}, read-only ones 0x{readOnly:x})");
        }

        HasFirstChecksums = hasFeatures && (Long(ExtJournalLayout.Superblock.CompatibleFeatures) & FirstChecksums) != 0;
        Is64Bit = (features & SixtyFourBit) != 0;
        IsAsync = (features & AsyncCommit) != 0;
        HasSecondChecksums = (features & SecondChecksums) != 0;
        HasThirdChecksums = (features & ThirdChecksums) != 0;
        HasFastCommits = (features & FastCommits) != 0;
        Judge();
        (First, End) = (Long(ExtJournalLayout.Superblock.First), Blocks);
        if (Blocks > blocks || First == 0 || First >= Blocks || Start >= Blocks)
        {
            throw new GuestException($"its superblock is damaged: its log of {Blocks} blocks begins at block {First}, in {blocks} blocks");
        }

        if (HasFastCommits)
        {
            // If there is no room for them, none are written.
            uint fast = Long(ExtJournalLayout.Superblock.FastCommitBlocks) is > 0 and var told ? told : UsualFastCommitBlocks;
            HasFastCommits = Blocks >= (ulong)fast + MinBlocks && fast > 1;
            End = Blocks >= (ulong)fast + MinBlocks ? Blocks - fast : Blocks;
        }

        Seed = Castagnoli.Add(uint.MaxValue, _bytes.AsSpan(ExtJournalLayout.Superblock.Uuid, ExtJournalLayout.Superblock.UuidLength));
    }

    /// <summary>The first block of the ring that the log is.</summary>
    public uint First { get; }

    /// <summary>One past the last block of the ring.</summary>
    public uint End { get; }

    /// <summary>Where the oldest transaction begins that may not be in its place yet; 0 if there is none.</summary>
    public uint Start => Long(ExtJournalLayout.Superblock.Start);

    /// <summary>The number of that transaction.</summary>
    public uint Sequence => Long(ExtJournalLayout.Superblock.Sequence);

    /// <summary>Whether a transaction has a checksum over its descriptors and copies.</summary>
    public bool HasFirstChecksums { get; }

    /// <summary>Whether each block has a checksum, in half of its bits for copies.</summary>
    public bool HasSecondChecksums { get; }

    /// <summary>Whether each block has a checksum, in all of its bits.</summary>
    public bool HasThirdChecksums { get; }

    /// <summary>Whether each block has a checksum.</summary>
    public bool HasBlockChecksums => HasSecondChecksums || HasThirdChecksums;

    /// <summary>Whether blocks have numbers of 64 bits.</summary>
    public bool Is64Bit { get; }

    /// <summary>Whether the end of a transaction may have been written before what it ends.</summary>
    public bool IsAsync { get; }

    /// <summary>Whether small transactions may have been written in another way, in blocks of their own.</summary>
    public bool HasFastCommits { get; }

    /// <summary>The first of those blocks.</summary>
    public uint FirstFastCommit => End + 1;

    /// <summary>What the checksums of blocks go on from.</summary>
    public uint Seed { get; }

    /// <summary>How long a tag is, without a UUID behind it.</summary>
    public int TagLength => HasThirdChecksums
        ? ExtJournalLayout.Tag.LengthWithChecksum
        : ExtJournalLayout.Tag.SmallLength
            + (HasSecondChecksums ? ExtJournalLayout.Tag.ShortChecksumLength : 0) + (Is64Bit ? ExtJournalLayout.Tag.HighLength : 0);

    private uint Blocks => Long(ExtJournalLayout.Superblock.BlockCount);

    private void Judge()
    {
        if ((HasFirstChecksums && HasBlockChecksums) || (HasSecondChecksums && HasThirdChecksums))
        {
            throw new GuestException("its superblock is damaged: it says that there are two kinds of checksums");
        }

        if (HasBlockChecksums
            && (_bytes[ExtJournalLayout.Superblock.ChecksumType] != ExtJournalLayout.Superblock.Castagnoli
                || Sum() != Long(ExtJournalLayout.Superblock.Checksum)))
        {
            throw new GuestException("its superblock is damaged: the checksum is wrong");
        }
    }

    private uint Sum()
    {
        uint sum = Castagnoli.Add(uint.MaxValue, _bytes.AsSpan(0, ExtJournalLayout.Superblock.Checksum));
        sum = BitOperations.Crc32C(sum, 0u);
        return Castagnoli.Add(sum, _bytes.AsSpan(ExtJournalLayout.Superblock.Checksum + sizeof(uint)));
    }

    private uint Long(int offset) => BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(offset));
}
