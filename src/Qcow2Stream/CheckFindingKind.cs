namespace Qcow2Stream;

/// <summary>What a finding of a check is about.</summary>
public enum CheckFindingKind
{
    /// <summary>The header says that the image is dirty or corrupt, or has bitmaps that can't be trusted.</summary>
    HeaderFlag,

    /// <summary>A pointer leads past the end of the file.</summary>
    OutsideFile,

    /// <summary>A pointer isn't a multiple of the cluster size.</summary>
    Misaligned,

    /// <summary>Bits that must be 0 are set.</summary>
    ReservedBits,

    /// <summary>The COPIED flag of an L1 or L2 entry does not say whether the refcount is 1.</summary>
    CopiedFlag,

    /// <summary>A compressed cluster where there can be none, or with what it can't have.</summary>
    CompressedCluster,

    /// <summary>A subcluster bitmap contradicts itself or its entry.</summary>
    SubclusterBitmap,

    /// <summary>A cluster of the external data file is not where the guest's offset is.</summary>
    DataFileOffset,

    /// <summary>The snapshot table, or an entry of it.</summary>
    SnapshotTable,

    /// <summary>The bitmap directory, or the table of a bitmap.</summary>
    Bitmap,

    /// <summary>The pointer to the LUKS header.</summary>
    EncryptionHeader,

    /// <summary>A refcount block, or its entry in the refcount table.</summary>
    RefcountBlock,

    /// <summary>There are more references to a cluster than the width of refcounts can count.</summary>
    RefcountOverflow,

    /// <summary>The refcount of a cluster is lower than the number of references to it.</summary>
    RefcountTooLow,

    /// <summary>The refcount of a cluster is higher than the number of references to it.</summary>
    RefcountTooHigh,

    /// <summary>A cluster of a table is used for something else too.</summary>
    Overlap,
}
