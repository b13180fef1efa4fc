using System.Runtime.InteropServices;

namespace Qcow2Stream.Cli;

/// <summary>
/// Standard output, or error, as bytes. .NET has two streams for it and neither will do: the console's hides a closed pipe, so a
/// command would keep reading a disk for nobody, and a FileStream keeps a position of its own, so that what other
/// programs write into the same file is overwritten.
/// </summary>
internal sealed partial class StandardOutput : Stream
{
    private const int GetFlags = 1;
    private const int Interrupted = 4;
    private const int BrokenPipe = 32;
    private const short PollOut = 4;

    private static readonly int WouldBlock = OperatingSystem.IsLinux() ? 11 : 35;

    private readonly int _descriptor;

    private StandardOutput(int descriptor) => _descriptor = descriptor;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">It is closed.</exception>
    public static Stream Open() =>
        OperatingSystem.IsWindows() ? Console.OpenStandardOutput()
        : IsOpen(1) ? new StandardOutput(1)
        : throw new IOException("cannot write to standard output: it is closed");

    /// <summary>Whether one of the standard descriptors is what the process was started with, and nothing that was opened since in its place.</summary>
    public static bool IsOpen(int descriptor) => ControlDescriptor(descriptor, GetFlags) == 0;

    /// <summary>Opens what messages go to; nothing gets them if it is closed.</summary>
    /// <param name="descriptor">Its descriptor; on Windows it has none.</param>
    public static Stream OpenError(int descriptor) =>
        OperatingSystem.IsWindows() ? Console.OpenStandardError()
        : IsOpen(descriptor) ? new StandardOutput(descriptor)
        : Null;

    /// <summary>Whether the reader at the other end has left, which isn't an error.</summary>
    public static bool IsClosedPipe(IOException e) => e is ClosedPipeException;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            nint written = WriteDescriptor(_descriptor, buffer, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            int error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock)
            {
                // Another program that shares the pipe or terminal made it so; it is full for now.
                PollDescriptor descriptor = new() { Descriptor = _descriptor, Events = PollOut };
                _ = Poll(ref descriptor, 1, timeout: -1);
            }
            else if (error != Interrupted)
            {
                throw error == BrokenPipe
                    ? new ClosedPipeException()
                    : new IOException($"cannot write to standard output: {Marshal.GetPInvokeErrorMessage(error)}");
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // Variadic: its two first arguments go where every function has them.
    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int ControlDescriptor(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeout);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteDescriptor(int descriptor, ReadOnlySpan<byte> buffer, nuint count);

    /// <summary>struct pollfd.</summary>
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short ReturnedEvents;
    }

    private sealed class ClosedPipeException : IOException;
}
