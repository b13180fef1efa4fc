using DiscUtils;
using DiscUtils.Streams;

namespace Qcow2Stream.Tests.Disks;

/// <summary>The files of a directory of the host with every bit turned, for a file system that decrypts.</summary>
internal sealed class InvertedFiles(string directory) : NativeFileSystem(directory, readOnly: true)
{
    public override SparseStream OpenFile(string path, FileMode mode, FileAccess access)
    {
        using SparseStream file = base.OpenFile(path, mode, access);
        return SparseStream.FromStream(new MemoryStream([.. file.ReadAll().Select(b => (byte)~b)], writable: false), Ownership.Dispose);
    }
}
