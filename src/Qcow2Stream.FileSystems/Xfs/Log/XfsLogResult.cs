using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>What a replay of the log makes of the volume.</summary>
/// <param name="Written">What is written.</param>
/// <param name="Intents">What was not done when the log ends.</param>
internal sealed record XfsLogResult(Overlay Written, XfsLogIntents Intents)
{
    /// <summary>Which files get other blocks when that is done, by the numbers of their inodes.</summary>
    public Dictionary<ulong, XfsRemaps> Remaps { get; } = [];

    /// <summary>How many blocks are freed then.</summary>
    public ulong FreedBlocks { get; } = Intents.FreedBlocks();
}
