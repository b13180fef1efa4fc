using DiscUtils;
using DiscUtils.Internal;
using Qcow2Stream.Images;

namespace Qcow2Stream.Plugin;

/// <summary>What DiscUtils finds by <see cref="Qcow2Disk.Register"/> and opens images through.</summary>
[VirtualDiskFactory(TypeName, Extensions)]
internal sealed class Qcow2DiskFactory : VirtualDiskFactory
{
    public const string TypeName = "QCOW2";

    // Not .img, though some qcow2 images are called so: the raw format of DiscUtils has it, which a second
    // registration would collide with, and an .img is more often raw.
    private const string Extensions = $".{FormatNames.Qcow2},.{FormatNames.Qcow1}";

    public override string[] Variants => [];

    public override VirtualDiskTypeInfo GetDiskTypeInformation(string variant) => Qcow2Disk.TypeInfo();

    public override DiskImageBuilder GetImageBuilder(string variant) => throw NothingIsWritten();

    public override VirtualDisk CreateDisk(FileLocator locator, string variant, string path, VirtualDiskParameters diskParameters) =>
        throw NothingIsWritten();

    public override VirtualDisk OpenDisk(string path, FileAccess access, bool useAsync)
    {
        RefuseToWrite(access);
        return new Qcow2Disk(Qcow2Chain.Open(path).NotRaw());
    }

    public override VirtualDisk OpenDisk(FileLocator locator, string path, FileAccess access)
    {
        RefuseToWrite(access);
        return new Qcow2Disk(Qcow2Chain.Open(locator, path));
    }

    /// <summary>
    /// Opens an image that a disk in another format, such as vmdk, has as its parent. The layer brings its own backing
    /// chain: left to DiscUtils, that would be opened without a policy, and round and round where it loops.
    /// </summary>
    public override VirtualDiskLayer OpenDiskLayer(FileLocator locator, string path, FileAccess access)
    {
        RefuseToWrite(access);
        return new Qcow2DiskLayer(Qcow2Chain.Open(locator, path), depth: 0, ownsChain: true);
    }

    private static void RefuseToWrite(FileAccess access)
    {
        if (access != FileAccess.Read)
        {
            throw new NotSupportedException("qcow2 images are never written to: open them with FileAccess.Read.");
        }
    }

    private static NotSupportedException NothingIsWritten() => new("qcow2 images are never written to, nor made.");
}
