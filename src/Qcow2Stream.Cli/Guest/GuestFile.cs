namespace Qcow2Stream.Cli.Guest;

/// <summary>Reads files of the guest from end to end.</summary>
internal static class GuestFile
{
    public const int BufferSize = 1 << 20;

    /// <summary>Hands on a file's content, piece by piece.</summary>
    /// <param name="file">The file.</param>
    /// <param name="write">Takes each piece; it is overwritten afterwards.</param>
    /// <exception cref="GuestException">It can't be read to its end.</exception>
    public static void Read(GuestEntry file, Action<ReadOnlyMemory<byte>> write)
    {
        long length = file.Length;
        byte[] buffer = new byte[Math.Clamp(length, 1, BufferSize)];
        using Stream content = file.Open();
        long done = 0;
        while (done < length)
        {
            int read = GuestReader.Call(() => content.Read(buffer, 0, (int)Math.Min(buffer.Length, length - done)));
            if (read <= 0)
            {
                throw new GuestException($"only {done} of {length} bytes can be read");
            }

            write(buffer.AsMemory(0, read));
            done += read;
        }
    }
}
