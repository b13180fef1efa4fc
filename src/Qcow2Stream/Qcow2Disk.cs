using System.Diagnostics.CodeAnalysis;
using DiscUtils;
using DiscUtils.Setup;
using DiscUtils.Streams;
using Qcow2Stream.Plugin;

namespace Qcow2Stream;

/// <summary>An open image with its backing chain as a DiscUtils disk: with its layers, partitions and volumes. It is read-only.</summary>
/// <remarks>
/// <para>The disk, its <see cref="Content"/>, partitions and volumes share one cursor and belong to one user at a time.
/// For readers in other threads call <see cref="Qcow2Chain.OpenStream"/> of <see cref="Chain"/>, once for each.</para>
/// <para>To have <see cref="VirtualDisk.OpenDisk(string, FileAccess)"/> open images, call <see cref="Register"/>.</para>
/// </remarks>
public sealed class Qcow2Disk : VirtualDisk
{
    private static readonly Lock Registering = new();

    private readonly bool _leaveOpen;
    private readonly Qcow2DiskLayer[] _layers;
    private readonly Qcow2ChainStream _content;
    private bool _disposed;

    /// <summary>Opens an image, qcow2 or raw, and its backing chain.</summary>
    /// <inheritdoc cref="Qcow2Chain.Open(string, Qcow2OpenOptions?)"/>
    public Qcow2Disk(string path, Qcow2OpenOptions? options = null)
        : this(Qcow2Chain.Open(path, options), leaveOpen: false)
    {
    }

    /// <inheritdoc cref="Qcow2Chain.Open(Uri, Qcow2OpenOptions?)"/>
    public Qcow2Disk(Uri uri, Qcow2OpenOptions? options = null)
        : this(Qcow2Chain.Open(uri, options), leaveOpen: false)
    {
    }

    /// <inheritdoc cref="Qcow2Chain.Open(Stream, Qcow2OpenOptions?)"/>
    public Qcow2Disk(Stream stream, Qcow2OpenOptions? options = null)
        : this(Qcow2Chain.Open(stream, options), leaveOpen: false)
    {
    }

    /// <inheritdoc cref="Qcow2Chain.Open(HostFile, Qcow2OpenOptions?)"/>
    public Qcow2Disk(HostFile file, Qcow2OpenOptions? options = null)
        : this(Qcow2Chain.Open(file, options), leaveOpen: false)
    {
    }

    /// <summary>Makes a disk from an open chain.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="leaveOpen">Whether the chain stays open when the disk is disposed.</param>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public Qcow2Disk(Qcow2Chain chain, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(chain);
        Chain = chain;
        _leaveOpen = leaveOpen;
        _content = chain.OpenStream();
        _layers = [.. chain.Layers.Select(l => new Qcow2DiskLayer(chain, l.Depth, ownsChain: false))];
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

    /// <summary>What DiscUtils says about the format.</summary>
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

    /// <summary>
    /// Registers the disk type QCOW2, with the file extensions .qcow2 and .qcow, so that
    /// <see cref="VirtualDisk.OpenDisk(string, FileAccess)"/> opens images with their backing chains, as this class; read-only, with the defaults of <see cref="Qcow2OpenOptions"/>. Images inside the file
    /// systems of other disks are opened too, with what they name in their own directories there, or below.
    /// </summary>
    /// <remarks>
    /// May be called any number of times, from any thread, and after the assembly was registered by other means. For an
    /// image with another extension, give the type: <c>VirtualDisk.OpenDisk("disk.img", "QCOW2", FileAccess.Read, null, null)</c>.
    /// A disk inside a file system shares the cursor of that file system's stream: nothing else may read there at the
    /// same time.
    /// </remarks>
    /// <exception cref="ArgumentException">Another library has registered one of the extensions.</exception>
    // DiscUtils finds these by reflection, so trimming would take them for unused.
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor, typeof(Qcow2DiskFactory))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor, "DiscUtils.Raw.DiskFactory", "DiscUtils.Core")]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor, "DiscUtils.FileTransport", "DiscUtils.Core")]
    public static void Register()
    {
        lock (Registering)
        {
            // First of all DiscUtils' own formats, and the "file" transport that paths need: it registers them when
            // its set-up is first used, which opening a disk by its path is not.
            SetupHelper.RegisterAssembly(typeof(VirtualDisk).Assembly);
            if (!VirtualDiskManager.SupportedDiskTypes.Contains(Qcow2DiskFactory.TypeName))
            {
                SetupHelper.RegisterAssembly(typeof(Qcow2Disk).Assembly);
            }
        }
    }

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
                if (!_leaveOpen)
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
