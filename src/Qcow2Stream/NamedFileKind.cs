namespace Qcow2Stream;

/// <summary>What an image names a file for.</summary>
public enum NamedFileKind
{
    /// <summary>The image below it in the chain.</summary>
    BackingFile,

    /// <summary>The raw file that holds its guest clusters.</summary>
    DataFile,

    /// <summary>An extent or a parent of a VMDK, or of an image in a format that DiscUtils reads.</summary>
    ExtentOrParent,
}
