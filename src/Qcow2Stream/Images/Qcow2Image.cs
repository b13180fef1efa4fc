using Qcow2Stream.Format;

namespace Qcow2Stream.Images;

/// <summary>One qcow2 image's files and header, and what its length allows: shared by all that reads its tables.</summary>
internal sealed class Qcow2Image(
    HostFile file, long fileLength, HostFile? dataFile, Qcow2Header header, Action<ImageDamage>? onDamage)
    : TableFile(file, fileLength, onDamage)
{
    private long _dataLength = dataFile is null ? 0 : dataFile.GetLength();

    /// <summary>The file that holds uncompressed clusters.</summary>
    public HostFile ClusterFile { get; } = dataFile ?? file;

    public bool HasDataFile { get; } = dataFile is not null;

    public Qcow2Header Header { get; } = header;

    public Geometry Geometry { get; } = header.Geometry;

    public override long ClusterFileLengthKnown => HasDataFile ? Volatile.Read(ref _dataLength) : base.ClusterFileLengthKnown;

    /// <summary>The length of <see cref="ClusterFile"/>, asked again as <see cref="TableFile.FileLengthFor"/> does.</summary>
    public long ClusterFileLengthFor(long end) => HasDataFile ? LengthFor(ClusterFile, ref _dataLength, end) : FileLengthFor(end);
}
