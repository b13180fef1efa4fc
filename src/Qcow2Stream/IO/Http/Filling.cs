namespace Qcow2Stream.IO.Http;

/// <summary>Blocks that follow each other in a file and wait for their bytes, which come in order, in any number of answers.</summary>
/// <param name="firstNumber">The number of the first block.</param>
/// <param name="blocks">The blocks; all but the last of the file are <see cref="Block.Size"/> bytes long.</param>
internal sealed class Filling(long firstNumber, Block[] blocks)
{
    private int _at;
    private int _done;

    public long FirstNumber { get; } = firstNumber;

    public IReadOnlyList<Block> Blocks { get; } = blocks;

    /// <summary>Where in the file the next byte is.</summary>
    public long Offset => ((FirstNumber + _at) * Block.Size) + _done;

    /// <summary>How many bytes are missing.</summary>
    public long Remaining { get; private set; } = blocks.Sum(b => (long)b.Buffer.Length);

    /// <summary>Where the next bytes belong.</summary>
    public Memory<byte> Rest => blocks[_at].Buffer.AsMemory(_done);

    /// <summary>Says that so many bytes of <see cref="Rest"/> are there.</summary>
    public void Advance(int count)
    {
        Remaining -= count;
        _done += count;
        if (_done == blocks[_at].Buffer.Length)
        {
            blocks[_at].Arrived();
            _at++;
            _done = 0;
        }
    }
}
