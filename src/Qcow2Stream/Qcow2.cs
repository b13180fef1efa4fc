using System.Diagnostics.CodeAnalysis;
using DiscUtils;
using DiscUtils.Setup;
using Qcow2Stream.Plugin;

namespace Qcow2Stream;

/// <summary>Makes qcow2 known to DiscUtils.</summary>
public static class Qcow2
{
    private static readonly Lock Registering = new();

    /// <summary>
    /// Registers the disk type QCOW2, with the file extensions .qcow2 and .qcow, so that
    /// <see cref="VirtualDisk.OpenDisk(string, FileAccess)"/> opens images with their backing chains, as
    /// <see cref="Qcow2Disk"/>; read-only, with the defaults of <see cref="Qcow2OpenOptions"/>. Images inside the file
    /// systems of other disks are opened too, with what they name in their own directories there, or below.
    /// </summary>
    /// <remarks>
    /// May be called any number of times, from any thread, and after the assembly was registered by other means. For an
    /// image by another name, give the type: <c>VirtualDisk.OpenDisk("disk.img", "QCOW2", FileAccess.Read, null, null)</c>.
    /// A disk inside a file system shares the cursor of that file system's stream: nothing else may read there at the
    /// same time.
    /// </remarks>
    /// <exception cref="ArgumentException">Another library has registered one of the extensions.</exception>
    // DiscUtils finds both by reflection, so trimming would take them for unused.
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor, typeof(Qcow2DiskFactory))]
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
                SetupHelper.RegisterAssembly(typeof(Qcow2).Assembly);
            }
        }
    }
}
