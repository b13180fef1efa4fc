using Microsoft.Win32.SafeHandles;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>One file for what is opened by path alone: each input replaces the one before. It goes with the process.</summary>
internal sealed class ScratchFile
{
    // In a directory of its own, so that an input has no neighbours to name.
    private readonly string _directory = Directory.CreateTempSubdirectory("qcow2-fuzz-").FullName;
    private readonly string _path;
    private readonly SafeFileHandle _handle;

    public ScratchFile()
    {
        _path = Path.Combine(_directory, "input");
        _handle = File.OpenHandle(_path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            _handle.Dispose();
            Directory.Delete(_directory, recursive: true);
        };
    }

    /// <returns>The file's path.</returns>
    public string Write(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.SetLength(_handle, 0);
        RandomAccess.Write(_handle, bytes, 0);
        return _path;
    }
}
