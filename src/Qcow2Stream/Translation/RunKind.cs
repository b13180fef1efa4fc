namespace Qcow2Stream.Translation;

/// <summary>What a run of guest bytes is, where it was found. The values are those of <see cref="MapKind"/>.</summary>
internal enum RunKind : byte
{
    /// <summary>The bytes stand in the host file, one after the other.</summary>
    Data,

    /// <summary>Zeros by a flag in the L2 table, with or without an allocated cluster.</summary>
    Zero,

    /// <summary>Nothing is recorded. Inside a layer: ask the layer below; from the chain: zeros.</summary>
    Unallocated,

    /// <summary>Part of one cluster that stands compressed in the host file.</summary>
    Compressed,

    /// <summary>Bytes of a raw file where its host file has a hole: allocated by the format, zeros in fact.</summary>
    Hole,
}
