using Qcow2Stream.Layers;
using Qcow2Stream.Translation;

namespace Qcow2Stream;

/// <summary>
/// An open disk image with its whole backing chain: the guest's disk by position, its layers and its map.
/// </summary>
/// <remarks>
/// <para>Thread safety: every member may be called by any number of threads at once. <see cref="Dispose"/> during
/// reads ends them with <see cref="ObjectDisposedException"/>, never in wrong bytes.</para>
/// <para>Ownership: whatever the chain is opened from (a path, an address, a stream, a <see cref="HostFile"/>) is closed with it,
/// and if opening fails, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set. Nothing else may move a stream that
/// isn't a plain <see cref="FileStream"/> while the chain is open.</para>
/// <para>The files are never written to, and are opened shared, without locks: no program that has them open, or opens them
/// later, is disturbed.</para>
/// <para>An image that a running guest is using: everything that was flushed before the chain was opened is
/// read. What is written later is not seen as of one moment, as tables are cached once read: each byte is either old or
/// new. That holds while the guest writes. If clusters are freed meanwhile (by discards, by deleting or
/// going back to a snapshot, by a commit), a cached table may lead to clusters that now hold something else: open the chain
/// again. A file that becomes shorter than it was is an error, and so is a read that its host cuts short.</para>
/// </remarks>
public sealed partial class Qcow2Chain : IDisposable
{
    // A page, and the block of most file systems.
    private const int MinPreferredRead = 4096;

    internal Qcow2Chain(OpenChain inner)
    {
        Inner = inner;
        Layers = Array.AsReadOnly(inner.Layers.Select((l, depth) => new ImageLayer(depth, l)).ToArray());
    }

    /// <summary>
    /// The size of the guest's disk in bytes: a multiple of 512. Like QEMU, a qcow2 image's size is rounded down to
    /// that, and a raw file's up.
    /// </summary>
    public long Length => Inner.Length;

    /// <summary>The layers: the top image first, each followed by its backing file.</summary>
    public IReadOnlyList<ImageLayer> Layers { get; }

    /// <summary>
    /// The size of the largest clusters of any layer, in bytes, and 4096 at least: reads that start and end at multiples of it
    /// decompress no cluster twice.
    /// </summary>
    public int PreferredReadLength => Math.Max(MinPreferredRead, Inner.LargestCluster);

    /// <summary>Everything the chain consists of.</summary>
    internal OpenChain Inner { get; }

    /// <summary>Reads guest bytes by position.</summary>
    /// <param name="guestOffset">Where to start, in bytes from the start of the disk; 0 or more.</param>
    /// <param name="buffer">Receives the bytes; its content is undefined if the read fails.</param>
    /// <returns>
    /// The bytes read: as many as <paramref name="buffer"/> holds, fewer only at the end of the disk, 0 at it and past it.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="guestOffset"/> is negative.</exception>
    /// <exception cref="Qcow2Exception">The bytes can't be read; the message says where and why. Other ranges stay readable.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public int ReadAt(long guestOffset, Span<byte> buffer)
    {
        int length = (int)Inner.Clip(guestOffset, buffer.Length);
        Inner.Read(guestOffset, buffer[..length]);
        return length;
    }

    /// <inheritdoc cref="ReadAt(long, Span{byte})"/>
    /// <summary>Reads guest bytes by position, on a limited number of cores: for callers that use the others themselves.</summary>
    /// <param name="guestOffset">Where to start, in bytes from the start of the disk; 0 or more.</param>
    /// <param name="buffer">Receives the bytes; its content is undefined if the read fails.</param>
    /// <param name="maxDegreeOfParallelism">How many compressed clusters may be decompressed at once; 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="guestOffset"/> is negative, or <paramref name="maxDegreeOfParallelism"/> below 1.</exception>
    public int ReadAt(long guestOffset, Span<byte> buffer, int maxDegreeOfParallelism)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxDegreeOfParallelism, 1);
        int length = (int)Inner.Clip(guestOffset, buffer.Length);
        Inner.Read(guestOffset, buffer[..length], maxDegreeOfParallelism);
        return length;
    }

    /// <inheritdoc cref="ReadAt(long, Span{byte})"/>
    /// <param name="guestOffset">Where to start, in bytes from the start of the disk; 0 or more.</param>
    /// <param name="buffer">Receives the bytes; its content is undefined if the read fails.</param>
    /// <param name="cancellationToken">Ends the read between two accesses to a host file.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public ValueTask<int> ReadAtAsync(long guestOffset, Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        int length = (int)Inner.Clip(guestOffset, buffer.Length);
        return length == 0 ? new(0) : Inner.ReadAsync(guestOffset, buffer[..length], cancellationToken);
    }

    /// <summary>The map of the whole disk: which range lives where.</summary>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public MapEnumerator Map() => Map(0, Length);

    /// <summary>The map of a range of the disk.</summary>
    /// <param name="start">Where the range starts, in bytes; 0 or more. Ranges past the end of the disk are empty.</param>
    /// <param name="length">How long it is, in bytes; 0 or more. It is cut at the end of the disk.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is negative.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public MapEnumerator Map(long start, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Inner.ThrowIfDisposed();
        return new MapEnumerator(new RunRequest(Inner, RunDetail.Metadata, default), start, length);
    }

    /// <summary>
    /// Whether a file is one that the chain reads: an image of it, or an image's data file. Files are compared by their
    /// <see cref="HostFile.Identity"/>, whatever their names; one without an identity is never recognised.
    /// </summary>
    /// <param name="file">The file; it is neither read nor closed.</param>
    public bool Uses(HostFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return file.Identity is { } identity
            && Inner.Layers.Any(l => identity.Equals(l.File.Identity) || identity.Equals(l.ClusterFile.Identity));
    }

    /// <summary>
    /// A stream over the guest's disk with a cursor of its own. It is cheap; each belongs to one user. Disposing it
    /// leaves the chain open.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public Qcow2ChainStream OpenStream()
    {
        Inner.ThrowIfDisposed();
        return new Qcow2ChainStream(this, ownsChain: false);
    }

    /// <summary>
    /// Closes all files. Reads that are running end in <see cref="ObjectDisposedException"/>. A read of a caller's stream that is
    /// under way is waited for, as a stream must not be closed during a read.
    /// </summary>
    public void Dispose() => Inner.Dispose();

    /// <summary>Closes the chain and throws if its top image is raw: what DiscUtils opens as qcow2 must be.</summary>
    internal Qcow2Chain NotRaw()
    {
        if (Layers[0].Format != ImageFormat.Raw)
        {
            return this;
        }

        Dispose();
        throw new Qcow2FormatException("this is not a qcow2 image: it does not start with the bytes 'QFI' 0xfb", Layers[0].Path, hostOffset: 0);
    }
}
