namespace Qcow2Stream.HostFiles;

/// <summary>
/// The one rule of ownership, for whatever an image is opened from: it is closed with what was opened, and also if opening
/// fails, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> says that it stays its caller's.
/// </summary>
internal static class ImageSource
{
    public static HostFile Of(string path) => HostFile.FromPath(path);

    public static HostFile Of(Uri uri, Qcow2OpenOptions? options) => HostFile.FromUri(uri, options?.Http);

    public static HostFile Of(Stream stream, Qcow2OpenOptions? options) => HostFile.FromStream(stream, options?.LeaveOpen ?? false);

    public static HostFile Of(HostFile file, Qcow2OpenOptions? options)
    {
        ArgumentNullException.ThrowIfNull(file);
        return options is { LeaveOpen: true } ? new LentHostFile(file) : file;
    }
}
