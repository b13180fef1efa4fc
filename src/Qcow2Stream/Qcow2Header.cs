using System.Text;
using Qcow2Stream.Format;

namespace Qcow2Stream;

/// <summary>
/// The header of a qcow2 image, checked (section "Header" of the specification). Immutable.
/// </summary>
public sealed class Qcow2Header
{
    internal Qcow2Header()
    {
    }

    /// <summary>2 or 3. qemu-img calls them compat 0.10 and 1.1.</summary>
    public int Version { get; internal init; }

    /// <summary>The size of a cluster, in bytes: a power of two from 512 to 2 MiB.</summary>
    public int ClusterSize => 1 << ClusterBits;

    /// <summary>The guest disk's size in bytes, as recorded.</summary>
    public long Size { get; internal init; }

    /// <summary>How guest data is encrypted.</summary>
    public Qcow2EncryptionMethod EncryptionMethod { get; internal init; }

    /// <summary>How many entries the L1 table has.</summary>
    public int L1Size { get; internal init; }

    /// <summary>Where the L1 table starts, in bytes from the start of the file.</summary>
    public long L1TableOffset { get; internal init; }

    /// <summary>Where the refcount table starts, in bytes from the start of the file. Not needed for reading, and not checked.</summary>
    public ulong RefcountTableOffset { get; internal init; }

    /// <summary>How many clusters the refcount table takes. Not needed for reading, and not checked.</summary>
    public uint RefcountTableClusters { get; internal init; }

    /// <summary>How many internal snapshots there are. Not checked.</summary>
    public uint SnapshotCount { get; internal init; }

    /// <summary>Where the snapshot table starts, in bytes from the start of the file. Not checked.</summary>
    public ulong SnapshotsOffset { get; internal init; }

    /// <summary>The incompatible features; none in version 2.</summary>
    public Qcow2IncompatibleFeatures IncompatibleFeatures { get; internal init; }

    /// <summary>The compatible feature bits; 0 in version 2.</summary>
    public ulong CompatibleFeatures { get; internal init; }

    /// <summary>Whether refcounts may be written late (compatible feature bit 0); reading is not affected.</summary>
    public bool HasLazyRefcounts => (CompatibleFeatures & 1) != 0;

    /// <summary>The autoclear feature bits; 0 in version 2. Bit 0 says that the bitmaps extension is consistent.</summary>
    public ulong AutoclearFeatures { get; internal init; }

    /// <summary>The width of a refcount, in bits: a power of two from 1 to 64.</summary>
    public int RefcountBits => 1 << RefcountOrder;

    /// <summary>The length of the header proper, in bytes.</summary>
    public int HeaderLength { get; internal init; }

    /// <summary>How compressed clusters are compressed.</summary>
    public Qcow2CompressionType CompressionType { get; internal init; }

    /// <summary>
    /// The backing file's name as recorded; null if there is none. It is untrusted text: escape it before it
    /// reaches a terminal, and never open it as it is. Bytes that are not UTF-8 show as U+FFFD.
    /// </summary>
    public string? BackingFile => BackingFileName.IsEmpty ? null : Encoding.UTF8.GetString(BackingFileName.Span);

    /// <summary>The backing file's format as recorded; null if none is. It is untrusted text.</summary>
    public string? BackingFormat { get; internal init; }

    /// <summary>The header extensions in the order of the file, known or unknown.</summary>
    public IReadOnlyList<Qcow2HeaderExtension> Extensions { get; internal init; } = [];

    /// <summary>
    /// The name of the external data file as recorded; null if there is none, or none is recorded. It is untrusted text.
    /// </summary>
    public string? DataFile => DataFileName.IsEmpty ? null : Encoding.UTF8.GetString(DataFileName.Span);

    /// <summary>Whether the external data file can be read as a raw image by itself (autoclear feature bit 1).</summary>
    public bool IsDataFileRaw => (AutoclearFeatures & HeaderLayout.RawDataFileBit) != 0;

    /// <summary>Whether guest clusters are kept in a separate file.</summary>
    public bool HasDataFile => IncompatibleFeatures.HasFlag(Qcow2IncompatibleFeatures.ExternalDataFile);

    /// <summary>Whether clusters have subclusters.</summary>
    public bool HasExtendedL2 => IncompatibleFeatures.HasFlag(Qcow2IncompatibleFeatures.ExtendedL2);

    /// <summary>Whether the persistent bitmaps can be trusted (autoclear feature bit 0); without it they are unusable.</summary>
    public bool HasConsistentBitmaps => (AutoclearFeatures & HeaderLayout.BitmapsBit) != 0;

    internal int ClusterBits { get; init; }

    internal Geometry Geometry => new(ClusterBits, HasExtendedL2);

    internal ReadOnlyMemory<byte> DataFileName { get; init; }

    internal int RefcountOrder { get; init; }

    /// <summary>The name's bytes as they are in the image.</summary>
    internal ReadOnlyMemory<byte> BackingFileName { get; init; }
}
