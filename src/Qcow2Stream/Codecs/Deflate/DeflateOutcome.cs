namespace Qcow2Stream.Codecs.Deflate;

/// <summary>Why decoding stopped.</summary>
internal enum DeflateOutcome
{
    /// <summary>At the end of a block, or of its head.</summary>
    EndOfBlock,

    /// <summary>Little input or output is left: continue carefully.</summary>
    LittleLeft,

    /// <summary>The input ended, or the next byte has no room.</summary>
    Stopped,

    /// <summary>The data means nothing.</summary>
    Broken,
}
