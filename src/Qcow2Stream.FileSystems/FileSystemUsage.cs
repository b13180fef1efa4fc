namespace Qcow2Stream.FileSystems;

/// <summary>How full a file system is.</summary>
/// <param name="UsedBytes">The bytes in use, for whatever.</param>
/// <param name="AvailableBytes">The bytes that are free, those that are kept for the system among them.</param>
public readonly record struct FileSystemUsage(long UsedBytes, long AvailableBytes);
