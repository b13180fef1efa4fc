namespace Qcow2Stream.FileSystems;

/// <summary>How full a file system is.</summary>
/// <param name="UsedBytes">The bytes in use.</param>
/// <param name="AvailableBytes">The bytes that are free, including those reserved for the system.</param>
public readonly record struct FileSystemUsage(long UsedBytes, long AvailableBytes);
