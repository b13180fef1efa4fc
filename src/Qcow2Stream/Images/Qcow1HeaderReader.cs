using Qcow2Stream.Format;

namespace Qcow2Stream.Images;

/// <summary>Reads the header of an image in QEMU's first format, and the backing file's name, which may be anywhere in the file.</summary>
internal static class Qcow1HeaderReader
{
    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="Qcow2FormatException">It is damaged.</exception>
    /// <exception cref="Qcow2UnsupportedException">It asks for what is not handled, or passes a limit of the options.</exception>
    public static async ValueTask<Qcow1Header> ReadAsync(
        HostFile file, long fileLength, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken)
    {
        byte[] start = new byte[Qcow1Header.Length];
        int read = await file.ReadAtAsync(0, start, async, cancellationToken).ConfigureAwait(false);
        return Qcow1Header.Parse(start.AsSpan(0, read), fileLength, options.HeaderLimits, file.Path);
    }

    /// <summary>Reads the name of the backing file; null if there is none. The format is never recorded.</summary>
    public static async ValueTask<BackingReference?> ReadBackingAsync(
        HostFile file, Qcow1Header header, bool async, CancellationToken cancellationToken)
    {
        if (header.BackingNameLength == 0)
        {
            return null;
        }

        byte[] name = new byte[header.BackingNameLength];
        int read = await file.ReadAtAsync(header.BackingNameOffset, name, async, cancellationToken).ConfigureAwait(false);
        return read == name.Length
            ? new BackingReference(name, Format: null)
            : throw new Qcow2FormatException(
                "the file ends inside the backing file's name", file.Path, hostOffset: header.BackingNameOffset + read);
    }
}
