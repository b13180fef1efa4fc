using DiscUtils;
using DiscUtils.Streams;
using Qcow2Stream.Plugin;

// Not Qcow2Stream.DiscUtils, as the folder would have it: that would hide the namespace DiscUtils.
namespace Qcow2Stream;

/// <summary>An open image with its backing chain as a disk of DiscUtils: with its layers, partitions and volumes. It is read-only.</summary>
/// <remarks>
/// <para>The disk, its <see cref="Content"/>, partitions and volumes share one cursor and belong to one user at a time.
/// For readers in other threads call <see cref="Qcow2Chain.OpenStream"/> of <see cref="Chain"/>, once for each.</para>
/// <para>To have <see cref="VirtualDisk.OpenDisk(string, FileAccess)"/> open images, call <see cref="Qcow2.Register"/>.</para>
/// </remarks>
public sealed class Qcow2Disk : VirtualDisk
{
    private readonly Ownership _ownsChain;
    private readonly Qcow2DiskLayer[] _layers;
    private readonly Qcow2ChainStream _content;
    private bool _disposed;

    /// <summary>Opens an image, qcow2 or raw, and its backing chain.</summary>
    /// <inheritdoc cref="Qcow2Chain.Open(string, Qcow2OpenOptions?)"/>
    public Qcow2Disk(string path, Qcow2OpenOptions? options = null)
        : this(Qcow2Chain.Open(path, options), Ownership.Dispose)
    {
    }

    /// <inheritdoc cref="Qcow2Chain.Open(Stream, Qcow2OpenOptions?)"/>
    /// <param name="stream">Readable and seekable.</param>
    /// <param name="ownsStream">Whether the disk disposes the stream; it counts in place of <see cref="Qcow2OpenOptions.LeaveOpen"/>.</param>
    /// <param name="options">How to open; null for the defaults.</param>
    public Qcow2Disk(Stream stream, Ownership ownsStream, Qcow2OpenOptions? options = null)
        : this(
            Qcow2Chain.Open(stream, (options ?? Qcow2OpenOptions.Default) with { LeaveOpen = ownsStream == Ownership.None }),
            Ownership.Dispose)
    {
    }

    /// <summary>Makes a disk of an open chain.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="ownsChain">Whether the disk disposes the chain.</param>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public Qcow2Disk(Qcow2Chain chain, Ownership ownsChain)
    {
        ArgumentNullException.ThrowIfNull(chain);
        Chain = chain;
        _ownsChain = ownsChain;
        _content = chain.OpenStream();
        _layers = [.. chain.Layers.Select(l => new Qcow2DiskLayer(chain, l.Depth, Ownership.None))];
    }

    /// <summary>The chain that the disk reads from, for its map, for snapshots, and for further readers.</summary>
    public Qcow2Chain Chain { get; }

    /// <summary>False: images are never written to.</summary>
    public override bool CanWrite => false;

    /// <summary>A geometry that follows from the size alone: images record none.</summary>
    public override Geometry? Geometry => DiscUtils.Geometry.FromCapacity(Capacity);

    /// <summary>Always <see cref="VirtualDiskClass.HardDisk"/>.</summary>
    public override VirtualDiskClass DiskClass => VirtualDiskClass.HardDisk;

    /// <summary>The size of the guest's disk in bytes.</summary>
    public override long Capacity => Chain.Length;

    /// <summary>The guest's disk: one stream, with the disk's cursor.</summary>
    public override SparseStream Content => _content;

    /// <summary>The layers, each a <see cref="Qcow2DiskLayer"/>: the top image first. They are open as long as the chain is.</summary>
    public override IEnumerable<VirtualDiskLayer> Layers => _layers;

    /// <summary>What DiscUtils tells of the format.</summary>
    public override VirtualDiskTypeInfo DiskTypeInfo => TypeInfo();

    /// <summary>The signature in the master boot record; 0 for a disk without any sectors.</summary>
    /// <exception cref="Qcow2Exception">The record can't be read.</exception>
    /// <exception cref="NotSupportedException">It is set: images are never written to.</exception>
    public override int Signature
    {
        get => Capacity == 0 ? 0 : base.Signature;
        set => throw ReadOnlyDisk();
    }

    /// <summary>Not supported: images are never written to.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void SetMasterBootRecord(ReadOnlySpan<byte> data) => throw ReadOnlyDisk();

    /// <inheritdoc cref="SetMasterBootRecord"/>
    public override ValueTask SetMasterBootRecordAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => throw ReadOnlyDisk();

    /// <inheritdoc cref="SetMasterBootRecord"/>
    public override VirtualDisk CreateDifferencingDisk(DiscFileSystem fileSystem, string path) => throw ReadOnlyDisk();

    /// <inheritdoc cref="SetMasterBootRecord"/>
    public override VirtualDisk CreateDifferencingDisk(string path, bool useAsync) => throw ReadOnlyDisk();

    internal static VirtualDiskTypeInfo TypeInfo() => new()
    {
        Name = Qcow2DiskFactory.TypeName,
        Variant = "",
        CanBeHardDisk = true,
        DeterministicGeometry = true,
        PreservesBiosGeometry = false,
        CalcGeometry = DiscUtils.Geometry.FromCapacity,
    };

    /// <summary>Closes the content, then the chain if the disk owns it, then what DiscUtils opened for the disk.</summary>
    protected override void Dispose(bool disposing)
    {
        if (_disposed)
        {
            return;
        }

        _disposed = disposing;
        try
        {
            if (disposing)
            {
                _content.Dispose();
                if (_ownsChain == Ownership.Dispose)
                {
                    Chain.Dispose();
                }
            }
        }
        finally
        {
            base.Dispose(disposing);
        }
    }

    private static NotSupportedException ReadOnlyDisk() => new("The disk is read-only: images are never written to.");
}
