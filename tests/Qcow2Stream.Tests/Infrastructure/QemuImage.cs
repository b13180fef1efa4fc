namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>Images that QEMU makes for one test.</summary>
internal static class QemuImage
{
    /// <summary>A disk with data at its start, in its middle, and in its last sector.</summary>
    /// <param name="directory">Where it goes.</param>
    /// <param name="size">In bytes.</param>
    /// <returns>Its path.</returns>
    public static async Task<string> WithDataAtItsEnds(TempDirectory directory, long size)
    {
        string path = directory.File("disk.qcow2");
        await Qemu.Img("create", "-q", "-f", "qcow2", path, $"{size}");
        await Qemu.Io(path, "qcow2", "write -P 17 0 64k", $"write -P 34 {size / 1024 * 512} 128k", $"write -P 51 {size - 512} 512");
        return path;
    }
}
