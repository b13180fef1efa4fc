namespace Qcow2Stream.FileSystems.Copying;

/// <summary>
/// A directory of the host that is copied into. Whatever is done in it is done with one name, and never follows a link: what a path leads to could be
/// changed by a link that a guest, or another user of the host, put there.
/// </summary>
internal abstract class HostDirectory : IDisposable
{
    /// <summary>Its path, for messages.</summary>
    public abstract string Path { get; }

    /// <summary>
    /// Splits a path that the user named into a directory, which links may lead to, and a name in it, which no link may be. With a slash at its end a
    /// path is a directory if there is one, whatever leads there; its name is then that of itself. (The system resolves the rest: what comes before
    /// <c>..</c> may be a link.)
    /// </summary>
    public static (string Directory, string Name) Split(string path)
    {
        bool isDirectory = System.IO.Path.EndsInDirectorySeparator(path);
        if (isDirectory && !Directory.Exists(path))
        {
            (path, isDirectory) = (System.IO.Path.TrimEndingDirectorySeparator(path), false);
        }

        string name = System.IO.Path.GetFileName(path);
        if (isDirectory || name is "." or "..")
        {
            return (path, ".");
        }

        return (System.IO.Path.GetDirectoryName(path) is { Length: > 0 } directory ? directory : ".", name);
    }

    /// <summary>Opens a directory that the user named; a link to one is followed.</summary>
    /// <exception cref="IOException">It isn't a directory.</exception>
    public static HostDirectory Open(string path) =>
        OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() ? UnixDirectory.OpenNamed(path) : new PathDirectory(path);

    /// <summary>Makes a directory in it, which only this user may enter until it is finished, and opens that.</summary>
    /// <exception cref="IOException">Something of that name exists, or it can't be made.</exception>
    public abstract HostDirectory Make(HostEntryName name);

    /// <summary>Opens a directory in it.</summary>
    /// <exception cref="IOException">There is none of that name, or a link.</exception>
    public abstract HostDirectory Enter(HostEntryName name);

    /// <summary>Whether a directory of that name is in it; a link to one doesn't count.</summary>
    public abstract bool HasDirectory(HostEntryName name);

    /// <summary>Makes a file in it, which only this user may read until it is finished.</summary>
    /// <exception cref="IOException">Something of that name exists, or it can't be made.</exception>
    public abstract FileStream CreateFile(HostEntryName name);

    /// <summary>Makes a symbolic link in it.</summary>
    /// <inheritdoc cref="Make" path="/exception"/>
    public abstract void CreateLink(HostEntryName name, HostEntryName target);

    /// <summary>Deletes a file in it.</summary>
    public abstract void DeleteFile(HostEntryName name);

    /// <summary>Gives it the guest's permissions and time.</summary>
    /// <param name="permissions">Null: they stay.</param>
    /// <param name="modifiedUtc">Null: it stays.</param>
    public abstract void Finish(UnixFileMode? permissions, DateTime? modifiedUtc);

    public abstract void Dispose();

    protected string PathOf(HostEntryName name) => System.IO.Path.Combine(Path, name.Text);
}
