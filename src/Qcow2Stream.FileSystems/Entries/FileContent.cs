using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Entries;

/// <summary>
/// A file's content by position: where each part of it lives is asked piece by piece. It is as thread-safe as its
/// file system's reader.
/// </summary>
/// <param name="length">The file's size in bytes.</param>
internal abstract class FileContent(long length) : IBlockSource
{
    public long Length { get; } = length;

    public int ReadAt(long offset, Span<byte> buffer)
    {
        int done = 0;
        while (done < buffer.Length && ReadPieceAt(offset + done, buffer[done..]) is > 0 and var read)
        {
            done += read;
        }

        return done;
    }

    /// <summary>Reads what is in one place: possibly less than <paramref name="buffer"/> holds, and 0 only at the end.</summary>
    /// <exception cref="GuestException">It can't be read.</exception>
    public int ReadPieceAt(long offset, Span<byte> buffer)
    {
        int count = (int)this.Clip(offset, buffer.Length);
        if (count == 0)
        {
            return 0;
        }

        try
        {
            return ReadPiece(offset, buffer[..count]) is > 0 and var read
                ? read
                : throw new GuestException($"only {offset} of {Length} bytes can be read");
        }
        catch (Exception e) when (ReaderErrors.IsForeign(e))
        {
            throw ReaderErrors.Translate(e);
        }
    }

    public virtual IEnumerable<StreamExtent> GetExtents(long start, long length) => BlockSource.Whole(this, start, length);

    /// <summary>Hands on the whole content, piece by piece.</summary>
    /// <param name="write">Takes each piece; it is overwritten afterwards.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="GuestException">It can't be read to its end.</exception>
    public void ReadAll(Action<ReadOnlyMemory<byte>> write, CancellationToken cancellationToken)
    {
        const int BufferSize = 1 << 20;
        byte[] buffer = new byte[Math.Clamp(Length, 1, BufferSize)];
        for (long done = 0; done < Length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read = ReadPieceAt(done, buffer);
            write(buffer.AsMemory(0, read));
            done += read;
        }
    }

    /// <summary>Fills the start of <paramref name="buffer"/>, which lies inside the file and isn't empty: as much as is in one place.</summary>
    /// <returns>How many bytes; at least one, unless the reader has no more.</returns>
    protected abstract int ReadPiece(long offset, Span<byte> buffer);
}
