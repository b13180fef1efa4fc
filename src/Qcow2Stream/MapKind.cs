namespace Qcow2Stream;

/// <summary>What an extent of the guest's disk is.</summary>
public enum MapKind
{
    /// <summary>The bytes are in a file of the chain, one after the other, or in whatever way a layer of another format keeps them.</summary>
    Data,

    /// <summary>Zeros by a flag in an image, hiding whatever lies in the layers below.</summary>
    Zero,

    /// <summary>No layer holds anything: zeros.</summary>
    Unallocated,

    /// <summary>One cluster, or a part of one, that is compressed in a file of the chain.</summary>
    Compressed,

    /// <summary>Part of a raw file where the host's file system has a hole: zeros, taking no space.</summary>
    Hole,
}
