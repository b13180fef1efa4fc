namespace Qcow2Stream.HostFiles.Http;

/// <summary>What a read waits for, and what is to be asked for now.</summary>
/// <param name="Blocks">The blocks of the read, from its first byte on, that are here or on their way, or will be: one or more.</param>
/// <param name="AreKnown">Whether the blocks were here or on their way already.</param>
/// <param name="Missing">The request that they wait for; null if others have made it. Its planner must make it.</param>
/// <param name="Ahead">A request for blocks that nobody needs yet, which must be made too; null if there is none.</param>
internal readonly record struct RequestPlan(IReadOnlyList<Block> Blocks, bool AreKnown, Filling? Missing, Filling? Ahead)
{
    /// <summary>Counts what the cache had or missed. Whoever listens may do anything: to be called under no lock, once the requests are made.</summary>
    public void Count() => Instruments.BlocksRead(Blocks.Count, AreKnown);
}
