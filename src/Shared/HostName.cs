using System.Buffers;

namespace Shared;

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

        return OperatingSystem.IsWindows() && WindowsName.JudgePart(name) is not null ? "Windows does not allow that name" : null;
    }
}
