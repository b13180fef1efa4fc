namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// Blocks that follow each other in a file and wait for their bytes, which come in order, in any number of answers, all of
/// one version of the file.
/// </summary>
/// <param name="blocks">The blocks; all but the last of the file are <see cref="Block.Size"/> bytes long.</param>
/// <param name="version">The version that was opened; null if the first answer decides.</param>
/// <param name="lease">Its memory and its turns.</param>
internal sealed class Filling(IReadOnlyList<Block> blocks, RemoteVersion? version, RequestSlots.Lease lease)
{
    private readonly long _start = blocks[0].Key.Number * Block.Size;
    private int _at;
    private int _done;

    public IReadOnlyList<Block> Blocks { get; } = blocks;

    /// <summary>Its memory and its turns. The code that fills the blocks disposes it.</summary>
    public RequestSlots.Lease Lease { get; } = lease;

    /// <summary>How many of the blocks have arrived.</summary>
    public int ArrivedBlocks => _at;

    /// <summary>How many answers have brought some of them.</summary>
    public int Answers { get; set; }

    /// <summary>The version that all answers must be of.</summary>
    public RemoteVersion? Version { get; private set; } = version;

    /// <summary>Where in the file the next byte is.</summary>
    public long Offset => _start + ((long)_at * Block.Size) + _done;

    /// <summary>How many bytes are missing.</summary>
    public long Remaining { get; private set; } = blocks.Sum(b => (long)b.Length);

    /// <summary>Where the next bytes belong.</summary>
    public Memory<byte> Rest => Blocks[_at].Buffer.AsMemory(_done, Blocks[_at].Length - _done);

    /// <summary>Takes the version from the first answer: further ones must be of the same, and no more is missing than it has.</summary>
    public void Settle(RemoteVersion answered)
    {
        if (Version is null)
        {
            Version = answered;
            Remaining = Math.Min(Remaining, answered.Length);
            Blocks[0].EndAt((int)Remaining);
        }
    }

    /// <summary>Says that so many bytes of <see cref="Rest"/> are there.</summary>
    /// <returns>The block that has arrived by that; null if none has.</returns>
    public Block? Advance(int count)
    {
        Remaining -= count;
        _done += count;
        if (_done < Blocks[_at].Length)
        {
            return null;
        }

        _done = 0;
        return Blocks[_at++];
    }
}
