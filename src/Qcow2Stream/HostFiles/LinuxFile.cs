using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Shared;

namespace Qcow2Stream.HostFiles;

/// <summary>
/// Finding a file on Linux without opening it (O_PATH), below a directory and nowhere else (openat2, since 5.6), and opening what was
/// found. Where the kernel has no openat2, or a sandbox refuses it, paths are resolved as usual.
/// </summary>
internal static partial class LinuxFile
{
    private const int PathOnly = 0x200000;
    private const int CloseOnExec = 0x80000;
    private const int CurrentDirectory = -100;
    private const int OpenAt2 = 437;
    private const ulong NoMagicLinks = 0x02;
    private const ulong NoSymbolicLinks = 0x04;
    private const ulong Beneath = 0x08;
    private const int NotPermitted = 1;
    private const int EntryMissing = 2;
    private const int CrossesDevice = 18;
    private const int NotADirectory = 20;
    private const int NotImplemented = 38;
    private const int TooManyLinks = 40;

    [SupportedOSPlatformGuard("linux")]
    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>Finds what a path leads to, links followed.</summary>
    /// <param name="path">The path.</param>
    /// <param name="hasDirectory">False if it passes a link of /proc to what is open somewhere, which isn't in the directory that the path names.</param>
    /// <returns>A handle that stands for its place and can't be read.</returns>
    public static SafeFileHandle Find(string path, out bool hasDirectory)
    {
        hasDirectory = true;
        int descriptor = OpenAt(CurrentDirectory, path, NoMagicLinks);
        int error = Marshal.GetLastPInvokeError();
        if (descriptor < 0 && (error == TooManyLinks || IsMissingCall(error)))
        {
            descriptor = UnixFile.Open(path, PathOnly | CloseOnExec);
            hasDirectory = error != TooManyLinks;
            error = Marshal.GetLastPInvokeError();
        }

        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw UnixFile.OpenError(path, error);
    }

    /// <summary>Finds what a path leads to below a directory, without following any link on the way; null where the kernel can't.</summary>
    /// <param name="root">The directory, which may be reached over links.</param>
    /// <param name="relative">The path from there on.</param>
    public static SafeFileHandle? FindBelow(string root, string relative)
    {
        string path = Path.Combine(root, relative);
        int descriptor = UnixFile.Open(root, PathOnly | CloseOnExec);
        if (descriptor < 0)
        {
            throw UnixFile.OpenError(path, Marshal.GetLastPInvokeError());
        }

        using SafeFileHandle directory = new(descriptor, ownsHandle: true);
        int found = OpenAt(descriptor, relative, Beneath | NoSymbolicLinks | NoMagicLinks);
        int error = Marshal.GetLastPInvokeError();
        return found >= 0 ? new SafeFileHandle(found, ownsHandle: true)
            : IsMissingCall(error) ? null
            : throw (error is TooManyLinks or CrossesDevice
                ? new IOException($"'{PrintableText.Escape(path)}' was replaced by a link while it was opened")
                : UnixFile.OpenError(path, error));
    }

    /// <summary>Opens what was found; by its path again where there is no /proc, and the caller compares.</summary>
    public static int Open(SafeFileHandle place, string path, int flags)
    {
        int descriptor = UnixFile.Open(
            string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{place.DangerousGetHandle()}"), flags);
        return descriptor < 0 && Marshal.GetLastPInvokeError() is EntryMissing or NotADirectory ? UnixFile.Open(path, flags) : descriptor;
    }

    private static bool IsMissingCall(int error) => error is NotImplemented or NotPermitted;

    private static int OpenAt(int directory, string path, ulong resolve)
    {
        OpenHow how = new() { Flags = PathOnly | CloseOnExec, Resolve = resolve };
        return (int)Call(OpenAt2, directory, path, how, Marshal.SizeOf<OpenHow>());
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Call(nint number, nint directory, string path, in OpenHow how, nint size);

    // struct open_how.
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }
}
