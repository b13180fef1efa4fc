using Shared;

namespace Qcow2Stream.Cli.Converting;

/// <summary>
/// A file that is written completely or not at all: it is written under another name in the same directory, and renamed when it is
/// complete. If it never is, nothing is left behind.
/// </summary>
internal static class NewFile
{
    /// <summary>Writes the file.</summary>
    /// <param name="path">Where it will be.</param>
    /// <param name="overwrite">Whether it may take the place of a file.</param>
    /// <param name="source">What it is made from: none of its files is replaced.</param>
    /// <param name="write">Writes what is in it.</param>
    /// <exception cref="IOException">There is something at <paramref name="path"/> that stays, or nothing can be written there.</exception>
    public static void Write(string path, bool overwrite, Qcow2Chain source, Action<FileStream> write)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 };
        bool replaces = IsThere(path, overwrite, source);
        if (replaces && !OperatingSystem.IsWindows())
        {
            // Nobody may read it who could not read what it replaces.
            options.UnixCreateMode = File.GetUnixFileMode(path);
        }

        string partial = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Guid.NewGuid():N}.partial");
        try
        {
            using (FileStream stream = new(partial, options))
            {
                write(stream);

                // Whatever happens to the machine, there is the old file or the new one.
                stream.Flush(flushToDisk: replaces);
            }

            File.Move(partial, path, replaces);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && e.Message.Contains(partial, StringComparison.Ordinal))
        {
            throw new IOException(e.Message.Replace(partial, path, StringComparison.Ordinal), e);
        }
        finally
        {
            if (File.Exists(partial))
            {
                File.Delete(partial);
            }
        }
    }

    /// <summary>Whether there is a file that may be replaced; refuses to replace everything else.</summary>
    private static bool IsThere(string path, bool overwrite, Qcow2Chain source)
    {
        string name = PrintableText.Escape(path);
        if (Directory.Exists(path))
        {
            throw new IOException($"'{name}' is a directory; name a file in it");
        }

        FileInfo there = new(path);
        if (!there.Exists && there.LinkTarget is null)
        {
            return false;
        }

        if (there.ResolveLinkTarget(returnFinalTarget: true) is { Exists: false })
        {
            throw new IOException($"'{name}' is a link to nothing; remove it first");
        }

        // Devices and pipes are refused here.
        using HostFile replaced = HostFile.FromPath(path);
        return source.Uses(replaced) ? throw new IOException($"'{name}' is a file of the image itself, which is never written to")
            : !overwrite ? throw new IOException($"'{name}' already exists (to replace it: --overwrite)")
            : true;
    }
}
