using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>
/// Replays the journal of a guest that was not shut down, in memory, as Linux does before anything else: each block that it has a copy of is read as the last
/// one that a whole transaction has.
/// </summary>
internal sealed class ExtJournal
{
    private readonly ExtVolume _volume;
    private readonly ExtJournalLog _log;
    private readonly long _maxBytes;

    // By the number of the block.
    private readonly Dictionary<ulong, ExtJournalTag> _copies = [];
    private readonly HashSet<ulong> _revoked = [];

    private ExtJournal(ExtVolume volume, ExtJournalLog log)
    {
        (_volume, _log, _maxBytes) = (volume, log, volume.Options.MaxJournalBytes);
    }

    /// <summary>Replays the journal of a volume, if that is to be done.</summary>
    /// <param name="source">What the volume is read from: there the blocks are from then on what the journal has.</param>
    /// <param name="volume">The volume.</param>
    /// <returns>What is missing, for the user; null if nothing is.</returns>
    public static string? Replay(FileSystemSource source, ExtVolume volume)
    {
        if (!volume.Superblock.NeedsRecovery)
        {
            return null;
        }

        try
        {
            ExtJournalLog log = new(volume, JournalOf(volume));
            (Overlay blocks, string? notice) = new ExtJournal(volume, log).Replay();
            source.Replayed = blocks;
            return notice;
        }
        catch (IOException e)
        {
            // All that was in its place before can be read still.
            return $"its journal is not replayed, as the guest would do first ({e.Message}): what it wrote last may be missing";
        }
    }

    private static ExtInode JournalOf(ExtVolume volume)
    {
        if (volume.Superblock.JournalInode == 0)
        {
            throw new GuestException(volume.Superblock.HasJournal ? "it is on another device" : "there is none");
        }

        ExtInode inode = volume.Inode(volume.Superblock.JournalInode);
        return inode.Kind == GuestEntryKind.File && inode.Mode.LinkCount > 0 && !inode.IsInline && !inode.IsEncrypted
            ? inode
            : throw new GuestException($"its inode {inode.Number} is damaged");
    }

    private (Overlay Blocks, string? Notice) Replay()
    {
        (uint end, string? damage) = ExtJournalEnd.Of(_log);
        foreach (ExtJournalBlock block in _log.Blocks())
        {
            if (block.Sequence == end)
            {
                break;
            }

            Take(block);
        }

        Overlay blocks = new(_volume.BlockSize, _maxBytes);
        foreach (ExtJournalTag copy in _copies.Values.OrderBy(copy => copy.Place))
        {
            string? problem = Write(copy, blocks);
            damage ??= problem;
        }

        string? notice = damage is not null ? $"its journal is damaged ({damage}): what the guest wrote last may be missing"
            : _log.HasFastCommits(end) ? "its journal has fast commits, which are not replayed: what the guest wrote last may be missing"
            : null;
        return (blocks, notice);
    }

    private void Take(ExtJournalBlock block)
    {
        switch (block.Type)
        {
            case ExtJournalBlockType.Descriptor:
                foreach (ExtJournalTag tag in _log.Tags(block).Where(tag => !_revoked.Contains(tag.Block)))
                {
                    _copies[tag.Block] = tag;
                }

                break;

            case ExtJournalBlockType.Revoke:
                foreach (ulong revoked in _log.Revoked(block))
                {
                    _copies.Remove(revoked);
                    _revoked.Add(revoked);
                }

                break;

            default:
                // What later transactions have of a block is newer than what revoked it.
                _revoked.Clear();
                break;
        }

        if (_copies.Count > _maxBytes / _volume.BlockSize || _revoked.Count > _maxBytes / sizeof(ulong))
        {
            throw new GuestException(
                $"it has more than {_maxBytes} bytes: {nameof(GuestOptions)}.{nameof(GuestOptions.MaxJournalBytes)} allows more");
        }
    }

    private string? Write(ExtJournalTag copy, Overlay blocks)
    {
        if (copy.Block >= _volume.BlockCount)
        {
            return $"transaction {copy.Sequence} has block {copy.Block}, which is past the end of the volume";
        }

        try
        {
            blocks.Write((long)copy.Block * _volume.BlockSize, _log.Copy(copy));
            return null;
        }
        catch (IOException e)
        {
            // Whatever else there is is better than what it would have replaced.
            return e.Message;
        }
    }
}
