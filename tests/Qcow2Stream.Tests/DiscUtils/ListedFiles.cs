using System.Runtime.CompilerServices;
using DiscUtils;
using DiscUtils.Streams;

namespace Qcow2Stream.Tests.Disks;

/// <summary>
/// A file system of files in memory that remembers what was asked for, and fails if two of its files are read at once, as
/// those of a real one would.
/// </summary>
internal sealed class ListedFiles : ReadOnlyDiscFileSystem
{
    private readonly Dictionary<string, byte[]> _files = [];
    private readonly List<string> _asked = [];
    private readonly StrongBox<int> _readers = new();

    /// <summary>All paths that were asked for, in their shortest form.</summary>
    public IReadOnlyList<string> Asked => _asked;

    /// <summary>The paths, in their shortest form, that are said to be links.</summary>
    public ISet<string> Links { get; } = new HashSet<string>();

    /// <summary>Makes each read fail as a damaged file system might.</summary>
    public bool IsDamaged { get; set; }

    public override string FriendlyName => "Files in memory";

    public override bool IsThreadSafe => false;

    public override Stream? RawStream => null;

    public override long Size => 0;

    public override long UsedSpace => 0;

    public override long AvailableSpace => 0;

    public void Add(string path, byte[] content) => _files.Add(path, content);

    public override bool FileExists(string path) => _files.ContainsKey(Find(path));

    public override SparseStream OpenFile(string path, FileMode mode, FileAccess access)
    {
        Assert.Equal((FileMode.Open, FileAccess.Read), (mode, access));
        return _files.TryGetValue(Find(path), out byte[]? content)
            ? SparseStream.FromStream(new ExclusiveStream(this, content), Ownership.Dispose)
            : throw new FileNotFoundException("no such file", path);
    }

    public override bool DirectoryExists(string path) => throw new NotSupportedException();

    public override IEnumerable<string> GetDirectories(string path, string searchPattern, SearchOption searchOption) => throw new NotSupportedException();

    public override IEnumerable<string> GetFiles(string path, string searchPattern, SearchOption searchOption) => throw new NotSupportedException();

    public override IEnumerable<string> GetFileSystemEntries(string path) => throw new NotSupportedException();

    public override IEnumerable<string> GetFileSystemEntries(string path, string searchPattern) => throw new NotSupportedException();

    public override FileAttributes GetAttributes(string path) => Links.Contains(Normalize(path)) ? FileAttributes.ReparsePoint : FileAttributes.Normal;

    public override DateTime GetCreationTimeUtc(string path) => throw new NotSupportedException();

    public override DateTime GetLastAccessTimeUtc(string path) => throw new NotSupportedException();

    public override DateTime GetLastWriteTimeUtc(string path) => throw new NotSupportedException();

    public override long GetFileLength(string path) => _files[Find(path)].Length;

    private string Find(string path)
    {
        string found = Normalize(path);
        _asked.Add(found);
        return found;
    }

    private static string Normalize(string path)
    {
        List<string> parts = [];
        foreach (string part in path.Split('/', '\\').Select(p => p.Trim()).Where(p => p is not ("" or ".")))
        {
            if (part != "..")
            {
                parts.Add(part);
            }
            else if (parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
        }

        return string.Join('/', parts);
    }

    private sealed class ExclusiveStream(ListedFiles owner, byte[] content) : MemoryStream(content, writable: false)
    {
        // All other reads of a class derived from MemoryStream end here.
        public override int Read(byte[] buffer, int offset, int count)
        {
            if (owner.IsDamaged)
            {
                throw new InvalidOperationException("the file system is damaged");
            }

            Assert.Equal(1, Interlocked.Increment(ref owner._readers.Value));
            try
            {
                Thread.Yield();
                return base.Read(buffer, offset, count);
            }
            finally
            {
                Interlocked.Decrement(ref owner._readers.Value);
            }
        }
    }
}
