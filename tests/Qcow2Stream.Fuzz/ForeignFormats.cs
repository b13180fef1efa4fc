using System.Reflection;
using DiscUtils;

namespace Qcow2Stream.Fuzz;

/// <summary>Registers with DiscUtils, once in a process, the formats that harnesses and tests use.</summary>
public static class ForeignFormats
{
    private static readonly Lazy<bool> Registered = new(() =>
    {
        foreach (Assembly assembly in new[] { typeof(DiscUtils.Vmdk.Disk).Assembly, typeof(DiscUtils.Vhd.Disk).Assembly, typeof(DiscUtils.Vhdx.Disk).Assembly })
        {
            VirtualDiskManager.RegisterVirtualDiskTypes(assembly);
        }

        return true;
    });

    /// <summary>Registers them, unless that was done.</summary>
    public static void Register() => _ = Registered.Value;
}
