namespace Qcow2Stream.Cli.Guest;

/// <summary>What a name in a guest's file system stands for.</summary>
internal enum GuestEntryKind
{
    File,
    Directory,
    Link,

    /// <summary>A device, a pipe or a socket: it has no content.</summary>
    Special,
}
