namespace Qcow2Stream.Codecs.Zstd;

/// <summary>How far four streams of literals are decoded.</summary>
internal unsafe ref struct HuffmanCursors
{
    /// <summary>The next literal of the first stream; those of the others are a quarter of the output apart.</summary>
    public byte* Output;

    /// <summary>How many bits each stream still has.</summary>
    public long Left1;
    public long Left2;
    public long Left3;
    public long Left4;
}
