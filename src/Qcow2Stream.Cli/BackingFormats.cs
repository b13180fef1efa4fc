using DiscUtils;

namespace Qcow2Stream.Cli;

/// <summary>The formats of backing files that DiscUtils reads: named one by one, so that a native binary has them.</summary>
internal static class BackingFormats
{
    private static bool _registered;

    public static void Register()
    {
        if (_registered)
        {
            return;
        }

        _registered = true;
        VirtualDiskManager.RegisterVirtualDiskTypes(typeof(DiscUtils.Vhd.Disk).Assembly);
        VirtualDiskManager.RegisterVirtualDiskTypes(typeof(DiscUtils.Vhdx.Disk).Assembly);
    }
}
