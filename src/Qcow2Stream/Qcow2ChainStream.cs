using System.Diagnostics.CodeAnalysis;
using DiscUtils.Streams;
using Qcow2Stream.Copying;
using Qcow2Stream.Layers;
using Qcow2Stream.Text;

namespace Qcow2Stream;

/// <summary>
/// The guest's disk of a qcow2 (or raw) image with its whole backing chain, as a seekable, read-only stream.
/// </summary>
/// <remarks>
/// The stream is a cursor over a <see cref="Qcow2Chain"/>, and belongs to one user at a time; for further cursors on
/// the same disk, in other threads too, call <see cref="Qcow2Chain.OpenStream"/>. A failed read doesn't move the cursor.
/// </remarks>
public sealed class Qcow2ChainStream : MappedStream
{
    private readonly bool _ownsChain;
    private long _position;
    private bool _disposed;

    /// <summary>Opens an image, qcow2 or raw, and its backing chain.</summary>
    /// <inheritdoc cref="Qcow2Chain.Open(string, Qcow2OpenOptions?)"/>
    public Qcow2ChainStream(string path)
        : this(path, options: null)
    {
    }

    /// <summary>Opens an image, qcow2 or raw, and its backing chain.</summary>
    /// <inheritdoc cref="Qcow2Chain.Open(string, Qcow2OpenOptions?)"/>
    public Qcow2ChainStream(string path, Qcow2OpenOptions? options)
        : this(Qcow2Chain.Open(path, options), ownsChain: true)
    {
    }

    /// <inheritdoc cref="Qcow2Chain.Open(Uri, Qcow2OpenOptions?)"/>
    public Qcow2ChainStream(Uri uri, Qcow2OpenOptions? options = null)
        : this(Qcow2Chain.Open(uri, options), ownsChain: true)
    {
    }

    /// <inheritdoc cref="Qcow2Chain.Open(HostFile, Qcow2OpenOptions?)"/>
    public Qcow2ChainStream(HostFile file, Qcow2OpenOptions? options = null)
        : this(Qcow2Chain.Open(file, options), ownsChain: true)
    {
    }

    /// <inheritdoc cref="Qcow2Chain.Open(Stream, Qcow2OpenOptions?)"/>
    public Qcow2ChainStream(Stream stream, Qcow2OpenOptions? options = null)
        : this(Qcow2Chain.Open(stream, options), ownsChain: true)
    {
    }

    // DiscUtils finds the partitions and volumes of a stream, and so those of a disk too, by reflection: trimming would take
    // these for unused, and VolumeManager would find nothing, without a word.
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor, "DiscUtils.Partitions.DefaultPartitionTableFactory", "DiscUtils.Core")]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor, "DiscUtils.ApplePartitionMap.PartitionMapFactory", "DiscUtils.Core")]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor, "DiscUtils.LogicalDiskManager.DynamicDiskManagerFactory", "DiscUtils.Core")]
    internal Qcow2ChainStream(Qcow2Chain chain, bool ownsChain)
    {
        Chain = chain;
        _ownsChain = ownsChain;
    }

    /// <summary>The chain that the stream reads from.</summary>
    public Qcow2Chain Chain { get; }

    /// <inheritdoc/>
    public override bool CanRead => !_disposed;

    /// <inheritdoc/>
    public override bool CanSeek => !_disposed;

    /// <summary>False: images are never written to.</summary>
    public override bool CanWrite => false;

    /// <summary>The size of the guest's disk in bytes.</summary>
    public override long Length
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Chain.Length;
        }
    }

    /// <summary>The cursor, in bytes from the start of the disk; it may be past the end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public override long Position
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _position;
        }

        set
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <summary>
    /// The parts of the disk that are stored: not zero, not unallocated, not a hole of a raw file. Lazy; it may be
    /// enumerated during reads.
    /// </summary>
    public override IEnumerable<StreamExtent> Extents => GetExtentsInRange(0, Length);

    /// <summary>Opens an image and its backing chain without blocking on the headers' reads.</summary>
    /// <inheritdoc cref="Qcow2Chain.OpenAsync(string, Qcow2OpenOptions?, CancellationToken)"/>
    public static async Task<Qcow2ChainStream> OpenAsync(
        string path, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await Qcow2Chain.OpenAsync(path, options, cancellationToken).ConfigureAwait(false), ownsChain: true);

    /// <inheritdoc cref="Qcow2Chain.OpenAsync(Uri, Qcow2OpenOptions?, CancellationToken)"/>
    public static async Task<Qcow2ChainStream> OpenAsync(
        Uri uri, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await Qcow2Chain.OpenAsync(uri, options, cancellationToken).ConfigureAwait(false), ownsChain: true);

    /// <inheritdoc cref="Qcow2Chain.OpenAsync(HostFile, Qcow2OpenOptions?, CancellationToken)"/>
    public static async Task<Qcow2ChainStream> OpenAsync(
        HostFile file, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await Qcow2Chain.OpenAsync(file, options, cancellationToken).ConfigureAwait(false), ownsChain: true);

    /// <inheritdoc cref="Qcow2Chain.OpenAsync(Stream, Qcow2OpenOptions?, CancellationToken)"/>
    public static async Task<Qcow2ChainStream> OpenAsync(
        Stream stream, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await Qcow2Chain.OpenAsync(stream, options, cancellationToken).ConfigureAwait(false), ownsChain: true);

    /// <summary>The parts of a range that are stored, see <see cref="Extents"/>; the cost grows with the range.</summary>
    /// <param name="start">Where the range starts, in bytes; 0 or more.</param>
    /// <param name="count">How long it is, in bytes; 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is negative.</exception>
    /// <exception cref="ObjectDisposedException">The stream is disposed.</exception>
    public override IEnumerable<StreamExtent> GetExtentsInRange(long start, long count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return StoredRanges.Of(Chain.Inner, start, count);
    }

    /// <summary>
    /// The places in the top image's file (its data file, if it has one of its own) that hold the bytes of a range, in the
    /// order of the disk. What other layers hold is not among them, nor are zeros. Lazy; it may be enumerated during reads.
    /// </summary>
    /// <param name="start">Where the range starts, in bytes of the disk; 0 or more.</param>
    /// <param name="length">How long it is, in bytes; 0 or more.</param>
    /// <returns>
    /// Places in the file, in bytes. For a compressed cluster, all its compressed bytes, however little of it is requested.
    /// What an encrypted image keeps there is ciphertext.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is negative.</exception>
    /// <exception cref="ObjectDisposedException">The stream is disposed.</exception>
    public override IEnumerable<StreamExtent> MapContent(long start, long length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Chain.Map(start, length)
            .Where(e => e is { Depth: 0, IsZero: false, HostOffset: not null })
            .Select(e => new StreamExtent(e.HostOffset!.Value, e.HostLength));
    }

    /// <summary>
    /// Reads at the cursor and moves it: as many bytes as <paramref name="buffer"/> holds, fewer only at the end of
    /// the disk, 0 at it and past it.
    /// </summary>
    /// <exception cref="Qcow2Exception">The bytes can't be read; the cursor has not moved.</exception>
    /// <exception cref="ObjectDisposedException">The stream is disposed.</exception>
    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int read = Chain.ReadAt(_position, buffer);
        _position += read;
        return read;
    }

    /// <inheritdoc cref="Read(Span{byte})"/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    /// <inheritdoc/>
    public override int ReadByte()
    {
        byte value = 0;
        return Read(new Span<byte>(ref value)) == 0 ? -1 : value;
    }

    /// <inheritdoc cref="Read(Span{byte})"/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int read = await Chain.ReadAtAsync(_position, buffer, cancellationToken).ConfigureAwait(false);
        _position += read;
        return read;
    }

    /// <inheritdoc cref="Read(Span{byte})"/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    public override void CopyTo(Stream destination, int bufferSize)
    {
        ValidateCopyToArguments(destination, bufferSize);
        ObjectDisposedException.ThrowIf(_disposed, this);
        CopyAsync(destination, async: false, default).Now();
    }

    /// <inheritdoc/>
    public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        ValidateCopyToArguments(destination, bufferSize);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return cancellationToken.IsCancellationRequested
            ? Task.FromCanceled(cancellationToken)
            : CopyAsync(destination, async: true, cancellationToken);
    }

    /// <summary>Moves the cursor; past the end is allowed, before the start is not.</summary>
    /// <exception cref="IOException">The new position would be before the start.</exception>
    /// <exception cref="ArgumentException"><paramref name="origin"/> is none of the three.</exception>
    /// <exception cref="ObjectDisposedException">The stream is disposed.</exception>
    public override long Seek(long offset, SeekOrigin origin)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long from = origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => _position,
            SeekOrigin.End => Chain.Length,
            _ => throw new ArgumentException("The origin must be Begin, Current or End.", nameof(origin)),
        };

        if (offset < -from || offset > long.MaxValue - from)
        {
            throw new IOException("An attempt was made to move the position before the beginning, or past the largest position, of the stream.");
        }

        return _position = from + offset;
    }

    /// <summary>Does nothing: there is nothing to write.</summary>
    public override void Flush()
    {
    }

    /// <inheritdoc cref="Flush"/>
    public override Task FlushAsync(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;

    /// <summary>Not supported: images are never written to.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void SetLength(long value) => throw ReadOnlyStream();

    /// <inheritdoc cref="SetLength"/>
    public override void Write(byte[] buffer, int offset, int count) => throw ReadOnlyStream();

    /// <inheritdoc cref="SetLength"/>
    public override void Write(ReadOnlySpan<byte> buffer) => throw ReadOnlyStream();

    /// <inheritdoc cref="SetLength"/>
    public override void WriteByte(byte value) => throw ReadOnlyStream();

    /// <inheritdoc cref="SetLength"/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => throw ReadOnlyStream();

    /// <inheritdoc cref="SetLength"/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw ReadOnlyStream();

    /// <inheritdoc cref="SetLength"/>
    public override void Clear(int count) => throw ReadOnlyStream();

    /// <inheritdoc cref="SetLength"/>
    public override ValueTask ClearAsync(int count, CancellationToken cancellationToken = default) => throw ReadOnlyStream();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            if (_ownsChain)
            {
                Chain.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    /// <summary>The cursor moves with what is written.</summary>
    private Task CopyAsync(Stream destination, bool async, CancellationToken cancellationToken) => ChainCopy.RunAsync(
        Chain.Inner, _position, Math.Max(_position, Chain.Length), destination, position => _position = position, progress: null, async, cancellationToken);

    private static NotSupportedException ReadOnlyStream() => new("The stream is read-only: images are never written to.");
}
