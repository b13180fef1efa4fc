using System.Reflection;
using DiscUtils;

namespace Qcow2Stream.Tests.Layers;

/// <summary>Registers with DiscUtils, once, the formats that these tests use.</summary>
internal static class ForeignImages
{
    private static readonly Lazy<bool> Registered = new(() =>
    {
        foreach (Assembly assembly in new[] { typeof(DiscUtils.Vmdk.Disk).Assembly, typeof(DiscUtils.Vhd.Disk).Assembly, typeof(DiscUtils.Vhdx.Disk).Assembly })
        {
            VirtualDiskManager.RegisterVirtualDiskTypes(assembly);
        }

        return true;
    });

    public static void Register() => _ = Registered.Value;
}
