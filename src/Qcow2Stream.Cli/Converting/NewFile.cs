using Shared;

namespace Qcow2Stream.Cli.Converting;

/// <summary>
/// A file that is written completely or not at all: it is written under another name in the same directory, and renamed when it is
/// complete. If it never is, nothing is left behind.
/// </summary>
internal sealed class NewFile : IDisposable
{
    private readonly string _path;
    private readonly bool _replaces;
    private bool _isKept;

    private NewFile(string path, bool replaces, FileStream stream)
    {
        _path = path;
        _replaces = replaces;
        Stream = stream;
    }

    /// <summary>What is written to it so far.</summary>
    public FileStream Stream { get; }

    /// <summary>Starts the file.</summary>
    /// <param name="path">Where it will be.</param>
    /// <param name="overwrite">Whether it may take the place of a file.</param>
    /// <param name="source">What it is made from: none of its files is replaced.</param>
    /// <exception cref="IOException">There is something at <paramref name="path"/> that stays, or nothing can be written there.</exception>
    public static NewFile Create(string path, bool overwrite, Qcow2Chain source)
    {
        string name = PrintableText.Escape(path);
        if (Directory.Exists(path))
        {
            throw new IOException($"'{name}' is a directory; name a file in it");
        }

        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 };
        FileInfo there = new(path);
        bool replaces = there.Exists || there.LinkTarget is not null;
        if (replaces)
        {
            if (!overwrite)
            {
                throw new IOException($"'{name}' already exists (to replace it: --overwrite)");
            }

            if (there.ResolveLinkTarget(returnFinalTarget: true) is { Exists: false })
            {
                throw new IOException($"'{name}' is a link to nothing; remove it first");
            }

            // Devices and pipes are refused here.
            using HostFile replaced = HostFile.FromPath(path);
            if (source.Uses(replaced))
            {
                throw new IOException($"'{name}' is a file of the image itself, which is never written to");
            }

            if (!OperatingSystem.IsWindows())
            {
                // Nobody may read it who could not read what it replaces.
                options.UnixCreateMode = File.GetUnixFileMode(path);
            }
        }

        string full = Path.GetFullPath(path);
        string partial = Path.Combine(Path.GetDirectoryName(full)!, $".{Guid.NewGuid():N}.partial");
        return new NewFile(full, replaces, new FileStream(partial, options));
    }

    /// <summary>The file is complete: it gets its name.</summary>
    public void Keep()
    {
        if (_replaces)
        {
            // Whatever happens to the machine, there is the old file or the new one.
            Stream.Flush(flushToDisk: true);
        }

        Stream.Dispose();
        File.Move(Stream.Name, _path, _replaces);
        _isKept = true;
    }

    public void Dispose()
    {
        Stream.Dispose();
        if (!_isKept)
        {
            File.Delete(Stream.Name);
        }
    }
}
