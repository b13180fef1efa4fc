using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems;

/// <summary>Makes <see cref="IBlockSource"/>s from chains, streams and parts of other sources, and streams from them.</summary>
public static class BlockSource
{
    /// <summary>The size of a sector if nothing else is known, in bytes.</summary>
    public const int DefaultSectorSize = 512;

    /// <summary>The disk of a chain.</summary>
    /// <param name="chain">The chain; it is not disposed.</param>
    public static IBlockSource FromChain(Qcow2Chain chain)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return new ChainSource(chain);
    }

    /// <summary>
    /// What a stream holds, read under a lock: reads from several threads take turns. (A <see cref="Qcow2ChainStream"/> is
    /// read as its chain, by all of them at once.)
    /// </summary>
    /// <param name="stream">Readable and seekable; it is not disposed, but nothing else may move it meanwhile.</param>
    /// <exception cref="ArgumentException"><paramref name="stream"/> can't be read or can't seek.</exception>
    public static IBlockSource FromStream(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return !stream.CanRead || !stream.CanSeek
            ? throw new ArgumentException("The stream must be readable and seekable.", nameof(stream))
            : stream is Qcow2ChainStream disk ? new ChainSource(disk.Chain) : new StreamSource(stream);
    }

    /// <summary>A part of a source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="start">Where the part starts, in bytes; 0 or more.</param>
    /// <param name="length">How long it is, in bytes; 0 or more. It is cut at the end of the source.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public static IBlockSource Slice(this IBlockSource source, long start, long length)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new PartSource(source, start, length, source.SectorSize);
    }

    /// <summary>
    /// A read-only stream over a source, with a cursor of its own: it belongs to one user at a time, and leaves the source open.
    /// It knows which parts are stored, as any <see cref="SparseStream"/>.
    /// </summary>
    /// <param name="source">The source.</param>
    public static SparseStream OpenStream(this IBlockSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new BlockStream(source);
    }

    /// <summary>Fills a buffer.</summary>
    /// <exception cref="EndOfStreamException">The source ends before that.</exception>
    internal static void ReadExactly(this IBlockSource source, long offset, Span<byte> buffer)
    {
        if (source.ReadAt(offset, buffer) < buffer.Length)
        {
            throw new EndOfStreamException($"{buffer.Length} bytes at {offset} reach past the end, which is at {source.Length}");
        }
    }

    /// <summary>How much of a range lies inside a source, in bytes.</summary>
    internal static long Clip(this IBlockSource source, long start, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return Math.Clamp(source.Length - start, 0, length);
    }

    /// <summary>All of a range that lies inside a source.</summary>
    internal static IEnumerable<StreamExtent> Whole(IBlockSource source, long start, long length) =>
        source.Clip(start, length) is > 0 and var inside ? [new StreamExtent(start, inside)] : [];
}
