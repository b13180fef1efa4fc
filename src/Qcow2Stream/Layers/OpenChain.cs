using System.Diagnostics.CodeAnalysis;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>
/// An open chain: its layers, the translator over them, the read loop, and the lifetime of all that. Facades are thin over it;
/// copying, mapping and information work on it. Safe for any number of threads.
/// </summary>
internal sealed class OpenChain : IDisposable
{
    private const int AllCores = int.MaxValue;

    private readonly IReadOnlyList<Layer> _owned;
    private readonly ChainReader _reader;
    private volatile bool _disposed;

    /// <summary>Takes ownership of the layers.</summary>
    /// <param name="layers">From the top down; one or more.</param>
    /// <param name="options">How they were opened.</param>
    public OpenChain(Layer[] layers, Qcow2OpenOptions options)
        : this(layers, new ChainTranslator([.. layers.Select(l => l.Translator)]), options, owned: layers)
    {
    }

    /// <summary>A view over layers of another chain, which must stay open while it is used.</summary>
    /// <param name="layers">From the top down; one or more.</param>
    /// <param name="translator">Says where the bytes of these layers are.</param>
    /// <param name="options">How they were opened.</param>
    /// <param name="owned">The layers that are closed with this view.</param>
    public OpenChain(Layer[] layers, ChainTranslator translator, Qcow2OpenOptions options, IReadOnlyList<Layer> owned)
    {
        _owned = owned;
        _reader = new ChainReader(layers, translator);
        Layers = layers;
        Translator = translator;
        Options = options;
    }

    /// <summary>The layers, the top image first.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    public ChainTranslator Translator { get; }

    public Qcow2OpenOptions Options { get; }

    /// <summary>The size of the guest's disk in bytes.</summary>
    public long Length => Translator.Length;

    /// <summary>The size of the largest clusters of any layer, in bytes; 0 where no layer has clusters.</summary>
    public int LargestCluster => Layers.Max(l => l.ClusterSize ?? 0);

    /// <summary>Fills <paramref name="buffer"/> from a range inside the disk.</summary>
    /// <param name="guestOffset">Where to start, in bytes.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="maxCores">How many cores may decompress; 1 where the caller keeps the others busy itself.</param>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public void Read(long guestOffset, Span<byte> buffer, int maxCores = AllCores)
    {
        ThrowIfDisposed();
        _reader.Read(guestOffset, buffer, maxCores);
    }

    /// <inheritdoc cref="Read"/>
    /// <param name="guestOffset">Where to start, in bytes.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <param name="maxCores">How many cores may decompress; 1 where the caller keeps the others busy itself.</param>
    /// <returns>The buffer's length.</returns>
    public ValueTask<int> ReadAsync(
        long guestOffset, Memory<byte> buffer, CancellationToken cancellationToken, int maxCores = AllCores)
    {
        ThrowIfDisposed();
        return _reader.ReadAsync(guestOffset, buffer, maxCores, cancellationToken);
    }

    /// <summary>How many of <paramref name="count"/> bytes from <paramref name="guestOffset"/> on the disk has.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="guestOffset"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public long Clip(long guestOffset, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(guestOffset);
        ThrowIfDisposed();
        return Math.Clamp(Length - guestOffset, 0, count);
    }

    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public void ThrowIfDisposed()
    {
        if (_disposed)
        {
            ThrowDisposed();
        }
    }

    /// <summary>Names what the user disposed, which isn't a type that is known here. Apart, so that reads look at a field and no more.</summary>
    [DoesNotReturn]
    private static void ThrowDisposed() => throw new ObjectDisposedException("Qcow2Stream.Qcow2Chain");

    /// <summary>Closes the layers that it owns. Reads that are running end in <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _disposed = true;
        Disposal.OfAll(_owned);
    }
}
