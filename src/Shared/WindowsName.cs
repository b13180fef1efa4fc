using System.Buffers;

namespace Shared;

/// <summary>
/// What Windows makes of a file's name before any file system sees it: servers, devices, drives, streams, and endings that
/// are dropped. Judged by the text alone, so that the judgement is the same wherever it is made.
/// </summary>
internal static class WindowsName
{
    // Parts of names that mean a device in every directory, whatever extension follows.
    private static readonly HashSet<string> Devices = new(
        [
            "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$",
            .. new[] { "COM", "LPT" }.SelectMany(port => "0123456789¹²³".Select(digit => $"{port}{digit}")),
        ],
        StringComparer.OrdinalIgnoreCase);

    private static readonly SearchValues<char> NeverInNames = SearchValues.Create("<>\"|?*");

    private static readonly char[] Separators = ['/', '\\'];

    /// <summary>Judges a name that an image records.</summary>
    /// <param name="name">Not empty.</param>
    /// <param name="allowsServers">Whether the caller trusts images with the credentials that Windows sends to a server that is named.</param>
    /// <returns>Null if the name can be looked at further; otherwise what is wrong with it.</returns>
    public static string? Judge(string name, bool allowsServers)
    {
        bool isServer = name.Length > 1 && Separators.Contains(name[0]) && Separators.Contains(name[1]);
        if (isServer && name.Length > 2 && name[2] is '.' or '?')
        {
            return "its name is that of a device";
        }

        if (isServer && !allowsServers)
        {
            return "its name is that of a server, to which Windows would send the user's credentials";
        }

        if (!isServer && Separators.Contains(name[0]))
        {
            return "its name has no drive, so that it depends on the current one";
        }

        bool hasDrive = HasDrive(name);
        if (hasDrive && (name.Length == 2 || !Separators.Contains(name[2])))
        {
            return "its name depends on the current directory of a drive";
        }

        ReadOnlySpan<char> rest = hasDrive ? name.AsSpan(2) : name;
        if (rest.Contains(':'))
        {
            return "its name is that of a stream inside a file";
        }

        return rest.ContainsAny(NeverInNames)
            ? "its name holds a character that is in no file's name"
            : name.Split(Separators).Select(JudgePart).FirstOrDefault(fault => fault is not null);
    }

    /// <summary>Whether a name starts with a drive letter, which isn't a protocol.</summary>
    public static bool HasDrive(string name) => name.Length > 1 && name[1] == ':' && char.IsAsciiLetter(name[0]);

    /// <summary>Judges one part of a path, wherever it came from: devices, and endings that Windows drops.</summary>
    /// <inheritdoc cref="Judge" path="/returns"/>
    public static string? JudgePart(string part)
    {
        if (part is "" or "." or "..")
        {
            return null;
        }

        // "NUL.txt" and "NUL .txt" are NUL.
        string stem = part.Split('.')[0].TrimEnd(' ');
        return Devices.Contains(stem) ? "a part of its name is that of a device"
            : part[^1] is '.' or ' ' ? "a part of its name ends with a dot or a space, which Windows drops"
            : null;
    }
}
