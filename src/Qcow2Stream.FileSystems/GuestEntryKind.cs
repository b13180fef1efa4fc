namespace Qcow2Stream.FileSystems;

/// <summary>What a name in a guest's file system stands for.</summary>
public enum GuestEntryKind
{
    /// <summary>A file.</summary>
    File = 0,

    /// <summary>A directory.</summary>
    Directory = 1,

    /// <summary>A symbolic link.</summary>
    Link = 2,

    /// <summary>A device, a pipe or a socket: it has no content.</summary>
    Special = 3,
}
