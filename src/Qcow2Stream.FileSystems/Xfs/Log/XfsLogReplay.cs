using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>
/// The replay of the log, as Linux does it when it mounts the file system: in a first pass it is seen which buffers were freed, in a second the items of each
/// complete transaction are written.
/// </summary>
internal sealed class XfsLogReplay
{
    private readonly XfsVolume _volume;
    private readonly XfsLogRing _ring;
    private readonly XfsLogEnds _ends;
    private readonly XfsLogBudget _budget;
    private readonly XfsLogBlocks _blocks;
    private readonly XfsLogCancels _cancels;
    private readonly XfsLogIntents _intents;

    private XfsLogReplay(FileSystemSource source, XfsVolume volume, XfsLogRing ring, XfsLogEnds ends)
    {
        (_volume, _ring, _ends) = (volume, ring, ends);
        _budget = new XfsLogBudget(source.Options.MaxJournalBytes);
        _blocks = new XfsLogBlocks(source, _budget);
        _cancels = new XfsLogCancels(_budget);
        _intents = new XfsLogIntents(_budget);
    }

    /// <summary>Replays part of a log.</summary>
    /// <exception cref="GuestException">It is damaged, has what is not known, or is too long.</exception>
    public static XfsLogResult Run(FileSystemSource source, XfsVolume volume, XfsLogRing ring, XfsLogEnds ends)
    {
        XfsLogReplay replay = new(source, volume, ring, ends);
        replay.Pass(replay.NoteCancels);
        replay.Pass(replay.Write);
        replay._blocks.Seal();
        return new XfsLogResult(replay._blocks.ToOverlay(), replay._intents);
    }

    private void Pass(Action<XfsLogTransaction> commit)
    {
        XfsLogTransactions transactions = new(_budget, commit);
        for (long done = 0; done < _ends.Blocks;)
        {
            XfsLogRecord record = XfsLogRecord.At(_ring, _ends.Tail + done) ?? throw new GuestException("one of its records is damaged");
            Judge(record);
            transactions.Add(record, record.ReadOperations(_volume.IsChecked));
            done += record.Blocks;
        }

        transactions.End();
    }

    private void Judge(XfsLogRecord record)
    {
        if (!record.IsLittleEndian)
        {
            throw new GuestException("it was written by a machine of another byte order");
        }

        if (!record.Uuid.SequenceEqual(_volume.Uuid))
        {
            throw new GuestException("it is that of another file system");
        }
    }

    private void NoteCancels(XfsLogTransaction transaction)
    {
        foreach (XfsLogItem item in transaction.Items)
        {
            if (item.Kind == XfsLogItemKind.Buffer && new XfsLogBuffer(item) is var buffer && (buffer.Flags & XfsLogBufferFlags.Cancel) != 0)
            {
                _cancels.Add(buffer.Place, buffer.Sectors);
            }
        }
    }

    private void Write(XfsLogTransaction transaction)
    {
        // Buffers come before what is in them, and after that which inode was unlinked after which.
        foreach (XfsLogItem item in transaction.Items.OrderBy(TurnOf))
        {
            Write(item, transaction.Lsn);
        }
    }

    private static int TurnOf(XfsLogItem item) => item.Kind switch
    {
        XfsLogItemKind.Buffer when (new XfsLogBuffer(item).Flags & XfsLogBufferFlags.Cancel) != 0 => 3,
        XfsLogItemKind.Buffer when (new XfsLogBuffer(item).Flags & XfsLogBufferFlags.Inodes) != 0 => 2,
        XfsLogItemKind.Buffer or XfsLogItemKind.Create => 0,
        _ => 1,
    };

    private void Write(XfsLogItem item, ulong lsn)
    {
        switch (item.Kind)
        {
            case XfsLogItemKind.Buffer:
                XfsLogBuffer buffer = new(item);
                if ((buffer.Flags & XfsLogBufferFlags.Cancel) != 0)
                {
                    _cancels.Pass(buffer.Place, buffer.Sectors);
                }
                else if (!_cancels.Has(buffer.Place, buffer.Sectors))
                {
                    buffer.Replay(_volume, _blocks, lsn);
                }

                break;

            case XfsLogItemKind.Inode:
                XfsLogInode inode = new(item);
                if (!_cancels.Has(inode.Place, inode.Sectors))
                {
                    inode.Replay(_volume, _blocks, _budget, lsn);
                }

                break;

            case XfsLogItemKind.Create:
                XfsLogCreate.Replay(item, _volume, _blocks, _cancels, _budget);
                break;

            case XfsLogItemKind.Quota or XfsLogItemKind.QuotaOff:
                // Quotas are not read.
                break;

            case XfsLogItemKind.FreeIntent or XfsLogItemKind.OwnerIntent or XfsLogItemKind.CountIntent or XfsLogItemKind.MapIntent
                or XfsLogItemKind.AttributeIntent or XfsLogItemKind.ExchangeIntent
                or XfsLogItemKind.RealtimeFreeIntent or XfsLogItemKind.RealtimeOwnerIntent or XfsLogItemKind.RealtimeCountIntent:
                _intents.Begin(item);
                break;

            case XfsLogItemKind.FreeDone or XfsLogItemKind.OwnerDone or XfsLogItemKind.CountDone or XfsLogItemKind.MapDone
                or XfsLogItemKind.AttributeDone or XfsLogItemKind.ExchangeDone
                or XfsLogItemKind.RealtimeFreeDone or XfsLogItemKind.RealtimeOwnerDone or XfsLogItemKind.RealtimeCountDone:
                _intents.End(item, item.Kind - 1);
                break;

            default:
                throw new GuestException($"it has items of a kind that is not known (0x{(ushort)item.Kind:x})");
        }
    }
}
