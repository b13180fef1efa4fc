namespace Qcow2Stream.Format;

/// <summary>
/// Where each header field starts, in bytes; every position is the one before plus its length.
/// Section "Header" of the specification; all integers are big-endian.
/// </summary>
internal static class HeaderLayout
{
    public const int Magic = 0;
    public const int Version = Magic + sizeof(uint);
    public const int BackingFileOffset = Version + sizeof(uint);
    public const int BackingFileSize = BackingFileOffset + sizeof(ulong);
    public const int ClusterBits = BackingFileSize + sizeof(uint);
    public const int Size = ClusterBits + sizeof(uint);
    public const int CryptMethod = Size + sizeof(ulong);
    public const int L1Size = CryptMethod + sizeof(uint);
    public const int L1TableOffset = L1Size + sizeof(uint);
    public const int RefcountTableOffset = L1TableOffset + sizeof(ulong);
    public const int RefcountTableClusters = RefcountTableOffset + sizeof(ulong);
    public const int NbSnapshots = RefcountTableClusters + sizeof(uint);
    public const int SnapshotsOffset = NbSnapshots + sizeof(uint);

    /// <summary>A version 2 header ends here.</summary>
    public const int Version2Length = SnapshotsOffset + sizeof(ulong);

    public const int IncompatibleFeatures = Version2Length;
    public const int CompatibleFeatures = IncompatibleFeatures + sizeof(ulong);
    public const int AutoclearFeatures = CompatibleFeatures + sizeof(ulong);
    public const int RefcountOrder = AutoclearFeatures + sizeof(ulong);
    public const int HeaderLength = RefcountOrder + sizeof(uint);

    /// <summary>A version 3 header is at least this long.</summary>
    public const int Version3MinimumLength = HeaderLength + sizeof(uint);

    /// <summary>Present only in headers longer than <see cref="Version3MinimumLength"/>.</summary>
    public const int CompressionType = Version3MinimumLength;

    /// <summary>In the autoclear features: the bitmaps extension is consistent with the image.</summary>
    public const ulong BitmapsBit = 1 << 0;

    /// <summary>In the autoclear features: the external data file can be read as a raw image by itself.</summary>
    public const ulong RawDataFileBit = 1 << 1;
}
