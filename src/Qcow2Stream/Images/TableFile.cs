namespace Qcow2Stream.Images;

/// <summary>A file that holds an image's tables, with what its length allows and how damage in it is met.</summary>
internal class TableFile(HostFile file, long fileLength, Action<ImageDamage>? onDamage)
{
    private long _fileLength = fileLength;
    private long _tableBytesRead;

    /// <summary>The file that holds the tables, and the clusters too unless there is a data file.</summary>
    public HostFile File { get; } = file;

    /// <summary>How much of the tables was read so far, in bytes, the same bytes again each time.</summary>
    public long TableBytesRead => Volatile.Read(ref _tableBytesRead);

    /// <summary>Whether damage is papered over as QEMU does, and reported, instead of thrown.</summary>
    public bool IsLenient => onDamage is not null;

    /// <summary>The longest that the file with the clusters was known to be: what is missing of that has been lost.</summary>
    public virtual long ClusterFileLengthKnown => Volatile.Read(ref _fileLength);

    /// <summary>The file's length; asked of the host again only where the length known so far ends before <paramref name="end"/>.</summary>
    public long FileLengthFor(long end) => LengthFor(File, ref _fileLength, end);

    /// <summary>Adds to <see cref="TableBytesRead"/>.</summary>
    public void CountTable(long bytes) => Interlocked.Add(ref _tableBytesRead, bytes);

    /// <summary>Throws <paramref name="error"/>, or reports it in lenient mode.</summary>
    public void Damaged(Qcow2FormatException error, long guestLength = 0)
    {
        if (onDamage is null)
        {
            throw error;
        }

        onDamage(new ImageDamage
        {
            Reason = error.Message,
            ImagePath = error.ImagePath,
            GuestOffset = error.GuestOffset,
            GuestLength = guestLength,
            HostOffset = error.HostOffset,
        });
    }

    protected long LengthFor(HostFile file, ref long known, long end)
    {
        long length = Volatile.Read(ref known);
        if (end <= length)
        {
            return length;
        }

        long now = file.GetLength();
        if (now < length)
        {
            Damaged(new Qcow2FormatException($"the file became shorter: it had {length} bytes, and has {now}", file.Path, hostOffset: now));
            return now;
        }

        // It never goes down: another thread may know of more by now.
        Interlocked.CompareExchange(ref known, now, length);
        return now;
    }
}
