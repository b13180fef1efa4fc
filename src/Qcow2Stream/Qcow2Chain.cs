using DiscUtils.Streams;
using Qcow2Stream.Layers;
using Qcow2Stream.Mapping;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream;

/// <summary>
/// An open disk image with its whole backing chain: the guest's disk by position, its layers and its map.
/// </summary>
/// <remarks>
/// <para>Thread safety: every member may be called by any number of threads at once. <see cref="Dispose"/> beside
/// running reads ends them in <see cref="ObjectDisposedException"/>, never in wrong bytes.</para>
/// <para>Opened by path, the chain owns its files. Opened from a stream it owns that stream, unless
/// <see cref="Qcow2OpenOptions.LeaveOpen"/> is set; nothing else may move a stream that is no plain <see cref="FileStream"/> while the chain is open.</para>
/// <para>The files are never written to, and are opened shared, without locks: no program that has them open, or opens them
/// later, is disturbed.</para>
/// <para>An image that is in use, by a guest that runs: what its program has flushed before the chain was opened is read, all
/// of it. What is written later is not seen as of one moment, for tables are kept once read: each byte is as it was, or as it
/// is by then. That holds while the guest writes. Where clusters are freed meanwhile (by discards, by deleting or
/// going back to a snapshot, by a commit), a kept table may lead to what another place holds by now: open the chain
/// anew. A file that becomes shorter than it was is an error, and so is a read that its host cuts short.</para>
/// </remarks>
public sealed partial class Qcow2Chain : IDisposable
{
    private readonly Layer[] _layers;
    private readonly Qcow2OpenOptions _options;
    private readonly Layer[] _owned;
    private readonly ChainReader _reader;
    private volatile bool _disposed;

    private Qcow2Chain(Layer[] layers, Qcow2OpenOptions options)
        : this(layers, new ChainTranslator([.. layers.Select(l => l.Translator)]), options, owned: layers)
    {
    }

    private Qcow2Chain(Layer[] layers, ChainTranslator translator, Qcow2OpenOptions options, Layer[] owned)
    {
        _layers = layers;
        _options = options;
        _owned = owned;
        Translator = translator;
        _reader = new ChainReader(layers, translator);
        Layers = Array.AsReadOnly(layers
            .Select((l, depth) => new ImageLayer(depth, l))
            .ToArray());
    }

    /// <summary>
    /// The size of the guest's disk in bytes: a multiple of 512. Like QEMU, a qcow2 image's size is rounded down to
    /// that, and a raw file's up.
    /// </summary>
    public long Length => Translator.Length;

    /// <summary>The layers: the top image first, each followed by its backing file.</summary>
    public IReadOnlyList<ImageLayer> Layers { get; }

    internal ChainTranslator Translator { get; }

    internal IReadOnlyList<Layer> Images => _layers;

    /// <summary>Reads guest bytes by position.</summary>
    /// <param name="guestOffset">Where to start, in bytes from the start of the disk; 0 or more.</param>
    /// <param name="buffer">Receives the bytes; its content is undefined if the read fails.</param>
    /// <returns>
    /// The bytes read: as many as <paramref name="buffer"/> holds, fewer only at the end of the disk, 0 at it and behind.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="guestOffset"/> is negative.</exception>
    /// <exception cref="Qcow2Exception">The bytes can't be read; the message says where and why. Other ranges stay readable.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public int ReadAt(long guestOffset, Span<byte> buffer)
    {
        int length = Clip(guestOffset, buffer.Length);
        _reader.Read(guestOffset, buffer[..length]);
        return length;
    }

    /// <inheritdoc cref="ReadAt"/>
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

        int length = Clip(guestOffset, buffer.Length);
        return length == 0 ? new(0) : _reader.ReadAsync(guestOffset, buffer[..length], cancellationToken);
    }

    /// <summary>The map of the whole disk: which range lives where.</summary>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public MapEnumerator Map() => Map(0, Length);

    /// <summary>The map of a range of the disk.</summary>
    /// <param name="start">Where the range starts, in bytes; 0 or more. Ranges behind the end of the disk are empty.</param>
    /// <param name="length">How long it is, in bytes; 0 or more. It is cut at the end of the disk.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is negative.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public MapEnumerator Map(long start, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new MapEnumerator(new MapRequest(this, RunDetail.Metadata, default), start, length);
    }

    /// <summary>
    /// A stream over the guest's disk with a cursor of its own. It is cheap; each belongs to one user. Disposing it
    /// leaves the chain open.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public Qcow2ChainStream OpenStream()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new Qcow2ChainStream(this, ownsChain: false);
    }

    /// <summary>
    /// Closes all files. Reads that are running end in <see cref="ObjectDisposedException"/>. A read of a caller's stream that is
    /// under way is waited for, as a stream must not be closed below it.
    /// </summary>
    public void Dispose()
    {
        _disposed = true;
        Disposal.OfAll(_owned);
    }

    /// <summary>Closes the chain and throws if its top image is raw: what DiscUtils opens as qcow2 must be.</summary>
    internal Qcow2Chain NotRaw()
    {
        if (Layers[0].Format != ImageFormat.Raw)
        {
            return this;
        }

        Dispose();
        throw new Qcow2FormatException("this is no qcow2 image: it does not start with the bytes 'QFI' 0xfb", Layers[0].Path, hostOffset: 0);
    }

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    /// <summary>The size of the largest clusters of any layer, in bytes.</summary>
    internal int LargestCluster => _layers.Max(l => l.ClusterSize ?? 0);

    /// <summary>Reads a range inside the disk on the caller's core alone, while others read theirs.</summary>
    internal void ReadPiece(long guestOffset, Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _reader.Read(guestOffset, buffer, onOneCore: true);
    }

    /// <inheritdoc cref="ReadPiece"/>
    internal Task ReadPieceAsync(long guestOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _reader.ReadAsync(guestOffset, buffer, cancellationToken, onOneCore: true).AsTask();
    }

    /// <summary>The parts of a range that are stored: not zero, not unallocated, not a hole of a raw file. Lazy.</summary>
    internal IEnumerable<StreamExtent> StoredExtents(long start, long length) => Map(start, length).WithHostHoles()
        .Where(e => !e.IsZero)
        .Select(e => HostRun.Unallocated(e.Start, e.Length))
        .Merge()
        .Select(r => new StreamExtent(r.GuestOffset, r.Length));

    internal MapExtent Describe(in HostRun run) => new()
    {
        Start = run.GuestOffset,
        Length = run.Length,
        Kind = (MapKind)run.Kind,
        Depth = run.Depth,
        HostOffset = run.HasHostOffset ? run.HostOffset : null,
        HostLength = run.HostLength,
        HostPath = run.HasHostOffset ? Layers[run.Depth].DataPath : null,
        IsEncrypted = run.HasHostOffset && run.Kind != RunKind.Compressed && _layers[run.Depth].IsEncrypted,
        OffsetInCluster = run.OffsetInCluster,
    };

    /// <summary>How many of <paramref name="count"/> bytes from <paramref name="guestOffset"/> on the disk has.</summary>
    private int Clip(long guestOffset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(guestOffset);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return (int)Math.Clamp(Length - guestOffset, 0, count);
    }
}
