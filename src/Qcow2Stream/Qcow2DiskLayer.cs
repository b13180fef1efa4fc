using DiscUtils;
using DiscUtils.Streams;
using Qcow2Stream.Layers;
using Qcow2Stream.Plugin;

namespace Qcow2Stream;

/// <summary>One image of a chain as a layer of a DiscUtils disk. Members may be called from any number of threads.</summary>
public sealed class Qcow2DiskLayer : VirtualDiskLayer
{
    private readonly Qcow2Chain _chain;
    private readonly Layer _layer;
    private readonly bool _ownsChain;
    private readonly Qcow2DiskExtent _extent;

    internal Qcow2DiskLayer(Qcow2Chain chain, int depth, bool ownsChain)
    {
        _chain = chain;
        _layer = chain.Inner.Layers[depth];
        _ownsChain = ownsChain;
        _extent = new Qcow2DiskExtent(this, _layer);
        Image = chain.Layers[depth];
        FullPath = _layer.File.FullPath ?? "";
    }

    /// <summary>The image: its format, paths and header.</summary>
    public ImageLayer Image { get; }

    /// <summary>The size in bytes of the disk that this layer describes; it may differ from the chain's.</summary>
    public override long Capacity => Image.Length;

    /// <summary>The full path of the image's file; empty for a stream without a name. Below the top layer it is untrusted text.</summary>
    public override string FullPath { get; }

    /// <summary>A geometry that follows from the size alone: images record none.</summary>
    public override Geometry Geometry => Geometry.FromCapacity(Capacity);

    /// <summary>Whether the format keeps only what was written: true for all but raw files.</summary>
    public override bool IsSparse => Image.Format != ImageFormat.Raw;

    /// <summary>
    /// Whether the image records a backing file. False for a layer that DiscUtils opened by itself, as the parent of a
    /// disk in another format: that has its backing chain open already.
    /// </summary>
    public override bool NeedsParent => !_ownsChain && _layer.Backing is not null;

    /// <summary>
    /// Null: a chain has all its layers open, and a locator to open the names that images record with would bypass
    /// the <see cref="FollowPolicy"/>.
    /// </summary>
    public override FileLocator? RelativeFileLocator => null;

    /// <summary>False: images are never written to.</summary>
    public override bool CanWrite => false;

    /// <summary>The layer's one extent.</summary>
    public override IList<VirtualDiskExtent> Extents => [_extent];

    /// <summary>The name of the backing file as the image records it, if it does. It is untrusted text, and has not been checked by any policy.</summary>
    public override IEnumerable<string> GetParentLocations() => _layer.Backing is { } backing ? [backing.Text] : [];

    /// <summary>Opens what the layer holds, over a parent.</summary>
    /// <param name="parent">
    /// What shows where the layer holds nothing; past its end there are zeros. Null for the layers below it in the chain,
    /// and zeros below the last. Nothing else may move it while the content is open.
    /// </param>
    /// <param name="ownsParent">Whether the content disposes <paramref name="parent"/> when it is disposed.</param>
    /// <returns>A stream of <see cref="Capacity"/> bytes with a cursor of its own; the disk must stay open while it is used.</returns>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public override Qcow2ChainStream OpenContent(SparseStream? parent, Ownership ownsParent) =>
        _chain.OpenLayer(Image.Depth, parent, ownsParent == Ownership.Dispose);

    /// <summary>Closes the chain that DiscUtils opened for this layer alone; does nothing to a layer of a disk.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _ownsChain)
        {
            _chain.Dispose();
        }

        base.Dispose(disposing);
    }
}
