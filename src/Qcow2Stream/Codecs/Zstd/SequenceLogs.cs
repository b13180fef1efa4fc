namespace Qcow2Stream.Codecs.Zstd;

/// <summary>The accuracy logs of the three codes of sequences, as the last block with sequences left them.</summary>
internal struct SequenceLogs
{
    public uint LiteralLengths;
    public uint Offsets;
    public uint MatchLengths;

    /// <summary>Whether there was one in this frame; if not, the tables are not to be repeated.</summary>
    public bool AreKnown;
}
