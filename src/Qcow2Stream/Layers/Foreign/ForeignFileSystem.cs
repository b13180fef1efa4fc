using DiscUtils;
using DiscUtils.Streams;
using Qcow2Stream.HostFiles.Http;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>
/// All that DiscUtils sees of the host while it opens an image: the image's own file, and the files that it names as far
/// as the policy lets them be opened. Nothing is listed, nothing is written.
/// </summary>
internal sealed class ForeignFileSystem : ReadOnlyDiscFileSystem
{
    // A parent is one file, or two if it is tried by two names.
    private const int MaxOpens = 4096;

    // The directory of an image without a name.
    private const string Nowhere = "/unnamed";

    private readonly HostFile _image;
    private readonly string _extension;
    private readonly TableMemory _memory;
    private readonly string _directory;
    private readonly Func<string, HostFile> _openPart;
    private readonly List<HostFile> _open = [];
    private int _opens;
    private long _readsLeft;
    private long _bytesLeft;

    /// <summary>Initializes the file system.</summary>
    /// <param name="image">The image; it is not disposed here.</param>
    /// <param name="extension">By which DiscUtils recognises the image's format.</param>
    /// <param name="memory">Adds up what the tables of the files take that are opened here.</param>
    /// <param name="openPart">Opens a file that the image names, by that name, or refuses to.</param>
    public ForeignFileSystem(HostFile image, string extension, TableMemory memory, Func<string, HostFile> openPart)
    {
        _image = image;
        _extension = extension;
        _memory = memory;
        _openPart = openPart;
        string path = image.Underlying is not HttpHostFile && image.Path is { } known ? Path.GetFullPath(known) : Path.Combine(Nowhere, "image");
        _directory = Path.GetDirectoryName(path)!;
        ImagePath = $"{path}.{extension}";
    }

    /// <summary>The path to open the image by: the first file that is opened is the image, whatever its name.</summary>
    public string ImagePath { get; }

    /// <summary>Whether the image consists of its own file alone.</summary>
    public bool IsOneFile => _opens == 1;

    /// <summary>Why the first file that the image names was refused; null if none was.</summary>
    public NamedFileException? Refusal { get; private set; }

    /// <summary>Set once the image is open: from then on no file is opened any more.</summary>
    public bool IsSealed { get; set; }

    public override string FriendlyName => "Files of an image";

    public override bool IsThreadSafe => false;

    public override Stream? RawStream => null;

    public override long Size => 0;

    public override long UsedSpace => 0;

    public override long AvailableSpace => 0;

    /// <summary>All bytes that were asked of the files.</summary>
    public long BytesRead { get; private set; }

    /// <summary>
    /// Says how much the next call into DiscUtils may read: a damaged image can make it read the same place forever, or far more
    /// than was asked for.
    /// </summary>
    /// <param name="count">The most reads.</param>
    /// <param name="bytes">The most bytes.</param>
    public void AllowReads(long count, long bytes)
    {
        _readsLeft = count;
        _bytesLeft = bytes;
    }

    /// <summary>Counts a read that is about to be made.</summary>
    /// <exception cref="Qcow2FormatException">It is more than was allowed.</exception>
    public void CountRead(HostFile file, long hostOffset, int length)
    {
        BytesRead += length;
        _bytesLeft -= length;
        if (--_readsLeft < 0 || _bytesLeft < 0)
        {
            throw new Qcow2FormatException(
                "the image is damaged: what it says leads in circles, or to far more bytes than were asked for", file.Path, hostOffset: hostOffset);
        }
    }

    public void Forget(HostFile part) => _open.Remove(part);

    public override bool FileExists(string path)
    {
        try
        {
            using HostFile part = OpenPart(path);
            return true;
        }
        catch (NamedFileException e)
        {
            Refusal ??= e;
            return false;
        }
    }

    public override SparseStream OpenFile(string path, FileMode mode, FileAccess access)
    {
        if (mode != FileMode.Open || access != FileAccess.Read)
        {
            throw new NotSupportedException("Images are never written to.");
        }

        HostFile file = _opens == 0 ? _image : OpenPart(path);
        _opens++;
        if (!ReferenceEquals(file, _image))
        {
            _open.Add(file);
        }

        ForeignTables.Judge(_extension, file, _memory);
        return new ForeignFileStream(file, this, ownsFile: !ReferenceEquals(file, _image));
    }

    public override bool DirectoryExists(string path) => false;

    public override IEnumerable<string> GetDirectories(string path, string searchPattern, SearchOption searchOption) => [];

    public override IEnumerable<string> GetFiles(string path, string searchPattern, SearchOption searchOption) => [];

    public override IEnumerable<string> GetFileSystemEntries(string path) => [];

    public override IEnumerable<string> GetFileSystemEntries(string path, string searchPattern) => [];

    public override FileAttributes GetAttributes(string path) => FileAttributes.Normal;

    public override DateTime GetCreationTimeUtc(string path) => DateTime.UnixEpoch;

    public override DateTime GetLastAccessTimeUtc(string path) => DateTime.UnixEpoch;

    public override DateTime GetLastWriteTimeUtc(string path) => DateTime.UnixEpoch;

    public override long GetFileLength(string path)
    {
        using HostFile part = OpenPart(path);
        return part.GetLength();
    }

    /// <summary>Closes the files that were opened here, if opening the image ended before DiscUtils took them over.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _open.ForEach(f => f.Dispose());
            _open.Clear();
        }

        base.Dispose(disposing);
    }

    private HostFile OpenPart(string path)
    {
        if (IsSealed || _opens >= MaxOpens)
        {
            throw new Qcow2UnsupportedException(
                "many parts", $"the image names more files than the {MaxOpens} that are opened, or a file after it was opened", _image.Path);
        }

        // DiscUtils has put the image's directory in front of names that are relative.
        string prefix = Path.EndsInDirectorySeparator(_directory) ? _directory : _directory + Path.DirectorySeparatorChar;
        HostFile file = _openPart(path.StartsWith(prefix, StringComparison.Ordinal) ? path[prefix.Length..] : path);
        if (!_open.Exists(o => Equals(o.Identity, file.Identity)))
        {
            return file;
        }

        file.Dispose();
        throw new NamedFileException(
            "the image names a file twice, or a file of it names another that is open already",
            new NamedFile { Kind = NamedFileKind.ExtentOrParent, Name = path, ImagePath = _image.Path });
    }
}
