namespace Qcow2Stream.Cli.Converting;

/// <summary>The formats that a disk is written in.</summary>
internal enum OutputFormat
{
    /// <summary>The bytes of the disk, with holes for zeros.</summary>
    Raw,

    /// <summary>Of Hyper-V.</summary>
    Vhdx,

    /// <summary>Of VMware, in one file that grows (monolithicSparse).</summary>
    Vmdk,

    /// <summary>Of Virtual PC and Azure, dynamic; QEMU calls it vpc.</summary>
    Vhd,
}
