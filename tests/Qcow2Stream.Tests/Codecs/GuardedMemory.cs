using System.Runtime.InteropServices;

namespace Qcow2Stream.Tests.Codecs;

/// <summary>Pages between two pages whose touch ends the process. Linux.</summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private readonly nint _mapping;
    private readonly int _length;

    public GuardedMemory(int length)
    {
        int page = Environment.SystemPageSize;
        _length = (length + page - 1) / page * page;
        _mapping = Map(0, _length + (2 * page), ReadWrite, PrivateAnonymous, -1, 0);
        if (_mapping == -1 || Protect(_mapping, page, 0) != 0 || Protect(_mapping + page + _length, page, 0) != 0)
        {
            throw new InvalidOperationException("The host gives no such pages.");
        }
    }

    /// <summary>The last bytes before the page after them.</summary>
    public Span<byte> AtEnd(int length) => All[^length..];

    /// <summary>The first bytes after the page before them.</summary>
    public Span<byte> AtStart(int length) => All[..length];

    private Span<byte> All => new((void*)(_mapping + Environment.SystemPageSize), _length);

    public void Dispose() => _ = Unmap(_mapping, _length + (2 * Environment.SystemPageSize));

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nint length);
}
