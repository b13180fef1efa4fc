namespace Qcow2Stream.Check;

/// <summary>An L2 table that was checked, with what refers to it again.</summary>
/// <param name="Place">The L1 entry that refers to it: the second, where there are more.</param>
/// <param name="ChecksCopied">Whether its entries' COPIED flags mean anything, and can be checked.</param>
/// <param name="Repeats">How many more references than one there are.</param>
internal readonly record struct WalkedTable(CheckPlace Place, bool ChecksCopied, long Repeats = 0);
