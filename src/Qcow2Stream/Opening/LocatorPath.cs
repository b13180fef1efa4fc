namespace Qcow2Stream.Opening;

/// <summary>
/// Paths in a file system that DiscUtils reads, judged by their text alone. There, both slashes separate, and spaces at
/// the ends of a part are dropped.
/// </summary>
internal static class LocatorPath
{
    private const string Rule =
        "in a file system that DiscUtils reads, only names in the directory of the image that names them, or below, are followed";

    private static readonly char[] Separators = ['/', '\\'];

    /// <summary>Takes a name that an image records from the image's directory.</summary>
    /// <param name="imagePath">The image's path.</param>
    /// <param name="name">The name; it is untrusted text.</param>
    /// <exception cref="RefusedException">The name leads, or could be made to lead, out of that directory.</exception>
    public static string Join(string imagePath, string name)
    {
        if (Separators.Contains(name[0]) || (name.Length > 1 && name[1] == ':'))
        {
            throw new RefusedException($"its name is absolute; {Rule}");
        }

        List<string> parts = [];
        foreach (string part in name.Split(Separators))
        {
            // DiscUtils takes ".. " for "..".
            if (part != part.Trim())
            {
                throw new RefusedException("a part of its name starts or ends with a space, which DiscUtils drops");
            }

            if (part == ".." && parts.Count == 0)
            {
                throw new RefusedException($"its name leads upwards; {Rule}");
            }

            Append(parts, part);
        }

        return parts.Count > 0
            ? DirectoryOf(imagePath) + string.Join('/', parts)
            : throw new RefusedException("its name is that of a directory");
    }

    /// <summary>An image's directory, with the separator at its end.</summary>
    public static string DirectoryOf(string imagePath) => imagePath[..(imagePath.LastIndexOfAny(Separators) + 1)];

    /// <summary>The one form of all spellings of a path.</summary>
    public static string Normalize(string path)
    {
        List<string> parts = [];
        foreach (string part in path.Split(Separators))
        {
            Append(parts, part.Trim());
        }

        return "/" + string.Join('/', parts);
    }

    private static void Append(List<string> parts, string part)
    {
        if (part is "" or ".")
        {
            return;
        }

        if (part != "..")
        {
            parts.Add(part);
        }
        else if (parts.Count > 0)
        {
            parts.RemoveAt(parts.Count - 1);
        }
    }
}
