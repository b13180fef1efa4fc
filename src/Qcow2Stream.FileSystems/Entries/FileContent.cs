using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Entries;

/// <summary>
/// A file's content by position: where each part of it lives is asked piece by piece. It is as thread-safe as its
/// file system's reader.
/// </summary>
/// <param name="length">The file's size in bytes.</param>
internal abstract class FileContent(long length) : IBlockSource
{
    /// <summary>How long a buffer for <see cref="Pieces"/> should be, in bytes.</summary>
    public const int PieceLength = 1 << 20;

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

    /// <summary>The whole content in order. Holes come as they are, however long: they are never walked as zeros.</summary>
    /// <param name="buffer">Receives the bytes of each piece that isn't a hole; it is overwritten by the next.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="GuestException">It can't be read to its end.</exception>
    public IEnumerable<ContentPiece> Pieces(byte[] buffer, CancellationToken cancellationToken)
    {
        long at = 0;
        foreach (StreamExtent stored in ReaderErrors.Each(() => GetExtents(0, Length)))
        {
            if (stored.Start > at)
            {
                yield return new ContentPiece(at, stored.Start - at, IsHole: true);
            }

            at = stored.Start;
            for (long end = stored.Start + stored.Length; at < end;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int read = ReadPieceAt(at, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at)));
                yield return new ContentPiece(at, read, IsHole: false);
                at += read;
            }
        }

        if (at < Length)
        {
            yield return new ContentPiece(at, Length - at, IsHole: true);
        }
    }

    /// <summary>Fills the start of <paramref name="buffer"/>, which lies inside the file and isn't empty: as much as is in one place.</summary>
    /// <returns>How many bytes; at least one, unless the reader has no more.</returns>
    protected abstract int ReadPiece(long offset, Span<byte> buffer);
}
