namespace Qcow2Stream.Format;

/// <summary>The unit of disks: QEMU rounds their sizes to it, and keys and compressed clusters are counted in it.</summary>
internal static class Sector
{
    /// <summary>In bytes.</summary>
    public const int Size = 512;
}
