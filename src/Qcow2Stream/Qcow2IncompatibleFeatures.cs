namespace Qcow2Stream;

/// <summary>
/// Features that a reader must know in order to read the image (section "Header", incompatible_features).
/// </summary>
[Flags]
public enum Qcow2IncompatibleFeatures : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Refcounts may be inconsistent; reading is not affected.</summary>
    Dirty = 1UL << 0,

    /// <summary>A structure was found broken; the image may only be read.</summary>
    Corrupt = 1UL << 1,

    /// <summary>Guest clusters are kept in a separate file.</summary>
    ExternalDataFile = 1UL << 2,

    /// <summary>The compression type is not deflate.</summary>
    CompressionType = 1UL << 3,

    /// <summary>L2 entries are 128 bits wide and describe 32 subclusters each.</summary>
    ExtendedL2 = 1UL << 4,
}
