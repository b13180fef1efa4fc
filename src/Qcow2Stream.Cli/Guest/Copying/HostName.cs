using System.Buffers;

namespace Qcow2Stream.Cli.Guest.Copying;

/// <summary>Which names of the guest may become names on the host: those that are one component of a path, and nothing else.</summary>
internal static class HostName
{
    private static readonly SearchValues<char> Forbidden =
        SearchValues.Create([.. Path.GetInvalidFileNameChars(), Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar]);

    /// <summary>Returns what is wrong with a name; null if nothing is.</summary>
    public static string? Fault(string name)
    {
        if (name is "" or "." or "..")
        {
            return "that name can't be used on this system";
        }

        if (name.AsSpan().ContainsAny(Forbidden))
        {
            return "its name holds a character that can't be used on this system";
        }

        // Windows drops these, and so would write to another name; and it keeps some names for devices.
        return OperatingSystem.IsWindows() && (name[^1] is '.' or ' ' || IsDeviceName(name))
            ? "Windows does not allow that name"
            : null;
    }

    /// <summary>CON, NUL, COM1 and the like, with any extension.</summary>
    internal static bool IsDeviceName(string name)
    {
        string stem = name.Split('.')[0].TrimEnd().ToUpperInvariant();
        return stem is "CON" or "PRN" or "AUX" or "NUL" or "CONIN$" or "CONOUT$"
            || (stem.Length == 4 && stem[..3] is "COM" or "LPT" && (char.IsAsciiDigit(stem[3]) || stem[3] is '¹' or '²' or '³'));
    }
}
