using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>Where the transactions of a log end that can be replayed.</summary>
/// <param name="Sequence">The first that can't.</param>
/// <param name="Damage">What is wrong with it; null if it is only one that was never finished, or none.</param>
internal readonly record struct ExtJournalEnd(uint Sequence, string? Damage)
{
    /// <summary>Finds the end of a log, as Linux does.</summary>
    /// <remarks>
    /// Behind the end there may be blocks of the log's last round that look like the next transaction: their times are before those of the
    /// last one. If the end of a transaction may be written before the rest, a wrong checksum of the last one is no damage either.
    /// </remarks>
    public static ExtJournalEnd Of(ExtJournalLog log)
    {
        uint sequence = log.Superblock.Sequence;
        uint? unfinished = null;
        ulong time = 0;
        bool isWrong = false;
        ExtJournalSum sum = default;
        foreach (ExtJournalBlock block in log.Blocks())
        {
            sequence = block.Sequence;
            isWrong |= block.Type != ExtJournalBlockType.Commit && !log.IsRight(block);
            if (block.Type == ExtJournalBlockType.Descriptor && log.Superblock.HasFirstChecksums)
            {
                sum = sum.Add(log, block);
            }

            if (block.Type != ExtJournalBlockType.Commit)
            {
                continue;
            }

            ulong committed = BinaryPrimitives.ReadUInt64BigEndian(block.Bytes.AsSpan(ExtJournalLayout.Commit.Seconds));
            bool isRight = !isWrong && log.IsRight(block) && (!log.Superblock.HasFirstChecksums || sum.IsRight(block));
            if (!isRight && committed < time)
            {
                return new ExtJournalEnd(unfinished ?? sequence, unfinished is null ? null : Wrong(unfinished.Value));
            }

            if (unfinished is not null || isWrong || (!isRight && !log.Superblock.IsAsync))
            {
                return new ExtJournalEnd(unfinished ?? sequence, Wrong(unfinished ?? sequence));
            }

            unfinished = isRight ? null : sequence;
            (time, sum, sequence) = (committed, default, sequence + 1);
        }

        return new ExtJournalEnd(unfinished ?? sequence, null);
    }

    private static string Wrong(uint sequence) => $"the checksum of transaction {sequence} is wrong";
}
