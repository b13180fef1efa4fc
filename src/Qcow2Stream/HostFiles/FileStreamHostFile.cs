namespace Qcow2Stream.HostFiles;

/// <summary>
/// The caller's own <see cref="FileStream"/> as a host file: readers need not take turns at its cursor, which stays where
/// it is. One made from a bare handle goes by a placeholder, which must not be taken for a file's name here.
/// </summary>
internal sealed class FileStreamHostFile(FileStream stream, bool leaveOpen) : HandleHostFile(
    System.IO.Path.IsPathFullyQualified(stream.Name) ? stream.Name : null,
    stream.SafeFileHandle,
    IdentityOf(stream),
    hasDirectory: !UnixFile.IsSupported || UnixFile.IsRegular(stream.SafeFileHandle))
{
    private static object IdentityOf(FileStream stream) =>
        UnixFile.IsSupported ? UnixFile.GetIdentity(stream.SafeFileHandle)
        : (WindowsFile.IsSupported ? WindowsFile.GetIdentity(stream.SafeFileHandle) : null) ?? stream;

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && !leaveOpen)
        {
            stream.Dispose();
        }
    }
}
