using Qcow2Stream.Format;
using Qcow2Stream.IO;

namespace Qcow2Stream.Translation;

/// <summary>One qcow2 image's files and header, and what its length allows: shared by all that reads its tables.</summary>
internal sealed class Qcow2Image(
    HostFile file, long fileLength, HostFile? dataFile, Qcow2Header header, Action<ImageDamage>? onDamage)
{
    private long _fileLength = fileLength;
    private long _dataLength = dataFile is null ? 0 : dataFile.GetLength();

    /// <summary>The qcow2 file itself: all tables, and the clusters too unless there is a data file.</summary>
    public HostFile File { get; } = file;

    /// <summary>The file that holds uncompressed clusters.</summary>
    public HostFile ClusterFile { get; } = dataFile ?? file;

    public bool HasDataFile { get; } = dataFile is not null;

    public Qcow2Header Header { get; } = header;

    public Geometry Geometry { get; } = header.Geometry;

    /// <summary>Whether damage is papered over as QEMU does, and reported, instead of thrown.</summary>
    public bool IsLenient => onDamage is not null;

    /// <summary>The file's length; asked of the host again only where the length known so far ends before <paramref name="end"/>.</summary>
    public long FileLengthFor(long end) => LengthFor(File, ref _fileLength, end);

    /// <summary>The length of <see cref="ClusterFile"/>, likewise.</summary>
    public long ClusterFileLengthFor(long end) => HasDataFile ? LengthFor(ClusterFile, ref _dataLength, end) : FileLengthFor(end);

    /// <summary>Throws <paramref name="error"/>, or reports it in lenient mode.</summary>
    public void Damaged(Qcow2FormatException error, long guestLength = 0)
    {
        if (onDamage is null)
        {
            throw error;
        }

        onDamage(new ImageDamage(error.Message, error.ImagePath, error.GuestOffset, guestLength, error.HostOffset));
    }

    private static long LengthFor(HostFile file, ref long known, long end)
    {
        long length = Volatile.Read(ref known);
        if (end > length)
        {
            length = file.GetLength();
            Volatile.Write(ref known, length);
        }

        return length;
    }
}
