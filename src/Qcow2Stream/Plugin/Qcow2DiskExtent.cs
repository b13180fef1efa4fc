using DiscUtils;
using DiscUtils.Streams;
using Qcow2Stream.Layers;

namespace Qcow2Stream.Plugin;

/// <summary>The one extent of a layer: all of its disk. Its content says where in the file its bytes are.</summary>
internal sealed class Qcow2DiskExtent(Qcow2DiskLayer owner, Layer layer) : VirtualDiskExtent
{
    public override long Capacity => owner.Capacity;

    public override bool IsSparse => owner.IsSparse;

    /// <summary>The bytes that the image and its data file take on their host.</summary>
    public override long StoredSize => ReferenceEquals(layer.File, layer.ClusterFile)
        ? layer.File.GetAllocatedLength()
        : layer.File.GetAllocatedLength() + layer.ClusterFile.GetAllocatedLength();

    public override MappedStream OpenContent(SparseStream? parent, Ownership ownsParent) => owner.OpenContent(parent, ownsParent);
}
