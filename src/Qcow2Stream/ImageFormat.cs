namespace Qcow2Stream;

/// <summary>The format of one layer of a chain.</summary>
public enum ImageFormat
{
    /// <summary>No format: the file's bytes are the guest's.</summary>
    Raw,

    /// <summary>QEMU's copy-on-write format, versions 2 and 3.</summary>
    Qcow2,

    /// <summary>QEMU's first copy-on-write format: version 1, which QEMU calls qcow.</summary>
    Qcow1,

    /// <summary>A format that DiscUtils reads; <see cref="ImageLayer.FormatName"/> says which.</summary>
    Other,
}
