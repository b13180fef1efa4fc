using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Qcow2Stream.Benchmarks.Libqcow;

/// <summary>An image opened with libqcow's C interface.</summary>
internal sealed unsafe partial class LibqcowFile : IDisposable
{
    private const string Library = "libqcow.so.1";
    private const int OpenForReading = 1;
    private const int ReadSize = 1 << 20;

    private nint _file;

    /// <exception cref="IOException">libqcow does not read the image.</exception>
    public LibqcowFile(string path)
    {
        ThrowUnlessDone(Initialize(ref _file, null), "initialize");
        ThrowUnlessDone(OpenPath(_file, path, OpenForReading, null), "open");
    }

    /// <summary>Why libqcow can't be used here, or null if it can.</summary>
    public static string? WhyNot { get; } = NativeLibrary.TryLoad(Library, out _) ? null : "not installed";

    public byte[] Hash()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ReadAll(hash.AppendData);
        return hash.GetHashAndReset();
    }

    public void ReadAll(Action<ReadOnlySpan<byte>> use)
    {
        ThrowUnlessDone(GetSize(_file, out ulong size, null), "tell the size");
        byte[] buffer = new byte[ReadSize];
        for (ulong position = 0; position < size;)
        {
            nint read = ReadAtOffset(_file, buffer, (nuint)buffer.Length, (long)position, null);
            ThrowUnlessDone(read > 0 ? 1 : 0, $"read at {position}");
            use(buffer.AsSpan(0, (int)read));
            position += (ulong)read;
        }
    }

    public void Dispose()
    {
        if (_file != 0)
        {
            _ = Free(ref _file, null);
        }
    }

    private void ThrowUnlessDone(int result, string what)
    {
        if (result != 1)
        {
            Dispose();
            throw new IOException($"can't {what}");
        }
    }

    [LibraryImport(Library, EntryPoint = "libqcow_file_initialize")]
    private static partial int Initialize(ref nint file, void* error);

    [LibraryImport(Library, EntryPoint = "libqcow_file_open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenPath(nint file, string path, int accessFlags, void* error);

    [LibraryImport(Library, EntryPoint = "libqcow_file_get_media_size")]
    private static partial int GetSize(nint file, out ulong size, void* error);

    [LibraryImport(Library, EntryPoint = "libqcow_file_read_buffer_at_offset")]
    private static partial nint ReadAtOffset(nint file, byte[] buffer, nuint size, long offset, void* error);

    [LibraryImport(Library, EntryPoint = "libqcow_file_free")]
    private static partial int Free(ref nint file, void* error);
}
