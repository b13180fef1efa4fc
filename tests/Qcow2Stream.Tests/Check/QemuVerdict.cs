namespace Qcow2Stream.Tests.Check;

/// <summary>How far the two checks of an image could be compared.</summary>
internal enum QemuVerdict
{
    /// <summary>All counts and the exit code are equal.</summary>
    Equal,

    /// <summary>Equal but for overlaps that the recorded refcounts agree with, which QEMU does not look for.</summary>
    QemuOverlooked,

    /// <summary>QEMU could not open the image.</summary>
    QemuRefused,

    /// <summary>QEMU ended the check without a result.</summary>
    QemuGaveUp,

    /// <summary>A table that QEMU reads as zeros is past the end of the file.</summary>
    WeRefused,
}
