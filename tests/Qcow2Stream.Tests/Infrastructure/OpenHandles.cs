namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>What this process has open of the files in a directory; other tests open others meanwhile. On Linux only.</summary>
internal static class OpenHandles
{
    public static IReadOnlyList<string> Under(string directory) =>
    [
        .. from descriptor in new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos()
           let target = TargetOf(descriptor)
           where target is not null && target.StartsWith(directory, StringComparison.Ordinal)
           select target,
    ];

    // One that was closed meanwhile.
    private static string? TargetOf(FileSystemInfo descriptor)
    {
        try
        {
            return descriptor.LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
