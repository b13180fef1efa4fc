using DiscUtils;
using DiscUtils.Setup;
using DiscUtils.Streams.Compatibility;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Layers.Foreign;
using Qcow2Stream.Text;

namespace Qcow2Stream.Opening;

/// <summary>
/// Files that one of DiscUtils' locators opens, where they are not the host's: those of a file system inside a disk, for
/// one. Such a file system has one stream with one cursor below it, so all its files are read in turns.
/// </summary>
internal sealed class LocatorFiles
{
    private readonly FileLocator _locator;
    private readonly Turns _turn;

    private LocatorFiles(FileLocator locator, Turns turn)
    {
        _locator = locator;
        _turn = turn;
    }

    /// <summary>Opens a top image: by its path, if the locator leads to the host's files.</summary>
    /// <param name="locator">What DiscUtils opens the image through.</param>
    /// <param name="path">The image's path there.</param>
    /// <param name="policy">Which of the files that it names are opened, and through what.</param>
    /// <exception cref="Qcow2UnsupportedException">A disk that DiscUtils reads as a layer of a chain names the image as its parent.</exception>
    /// <exception cref="IOException">It can't be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">Access is denied.</exception>
    public static HostFile OpenTop(FileLocator locator, string path, out FollowPolicy policy)
    {
        Stream stream = OpenWatched(locator, path, out string? hostPath);
        if (hostPath is not null)
        {
            stream.Dispose();
            policy = FollowPolicy.SameDirectory;
            return PathHostFile.Open(hostPath);
        }

        if (stream is ForeignFileStream)
        {
            // Below it the chain would start anew, out of the sight of its opener.
            stream.Dispose();
            throw new Qcow2UnsupportedException(
                "qcow2 below another format", "an image that DiscUtils reads names a qcow2 image as its parent, which is not followed", path);
        }

        LocatorFiles files = new(locator, new Turns());
        policy = FollowPolicy.Through(files.Open);
        return files.FileOf(stream, path.Replace('\\', '/'));
    }

    /// <summary>Opens a file that an image names; the name has been judged as names of all files are.</summary>
    /// <param name="imagePath">The image's path, as the locator takes it.</param>
    /// <param name="name">The name; it is untrusted text.</param>
    /// <exception cref="RefusedException">The name leads out of the image's directory, or over a link.</exception>
    /// <exception cref="IOException">It can't be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">Access is denied.</exception>
    public HostFile Open(string imagePath, string name)
    {
        string path = LocatorPath.Join(imagePath, name);
        try
        {
            LocatorLinks.Refuse(_locator, path, LocatorPath.DirectoryOf(imagePath).Length);
            return FileOf(OpenShared(_locator, path), path);
        }
        catch (Exception e) when (e is not (IOException or UnauthorizedAccessException or RefusedException))
        {
            // A damaged file system makes DiscUtils throw anything.
            throw new IOException(e.Message, e);
        }
    }

    private LocatorHostFile FileOf(Stream stream, string path) =>
        new(stream, path, LocatorPath.Normalize(_locator.GetFullPath(path)), _turn);

    /// <summary>
    /// Opens a file and says whether it is the host's. What the locator is can't be asked, as DiscUtils' own are internal;
    /// so what happens decides. DiscUtils announces what its locators open, and lets the listener do it: if that was a
    /// file of the host, and the stream that comes back is that file byte by byte, it is the host's, be it through the
    /// host's locator or through a file system over one of its directories (NativeFileSystem), where else links would
    /// bypass the policy. A file system that decrypts a file of the host, for example, is neither.
    /// </summary>
    private static Stream OpenWatched(FileLocator locator, string path, out string? hostPath)
    {
        List<FileStream> opened = [];
        int thread = Environment.CurrentManagedThreadId;
        SetupHelper.OpeningFile += Watch;
        Stream stream;
        try
        {
            stream = OpenShared(locator, path);
        }
        finally
        {
            SetupHelper.OpeningFile -= Watch;
        }

        hostPath = opened.Find(f => IsSame(stream, f))?.Name;
        return stream;

        void Watch(object? sender, FileOpenEventArgs e)
        {
            if (Environment.CurrentManagedThreadId == thread && e.Result is null)
            {
                e.Result = e.GetFileStream();
                if (e.Result is FileStream file && file.GetType() == typeof(FileStream) && Path.IsPathFullyQualified(file.Name))
                {
                    opened.Add(file);
                }
            }
        }
    }

    private static bool IsSame(Stream stream, FileStream file) =>
        stream.GetPositionInBaseStream(file, 1) == 1 && stream.Length == file.Length;

    private static Stream OpenShared(FileLocator locator, string path) =>
        locator.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
}
