namespace Qcow2Stream.Layers.Foreign;

/// <summary>
/// The memory that DiscUtils is going to take for the tables of an image and of all files that it names: added up from what they
/// say, before DiscUtils sees them.
/// </summary>
/// <param name="maxBytes">The most.</param>
internal sealed class TableMemory(long maxBytes)
{
    /// <summary>What was added up so far, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds what a table will take.</summary>
    /// <param name="bytes">In bytes; 0 or more.</param>
    /// <param name="what">The table, for the message.</param>
    /// <param name="file">The file that it is in.</param>
    /// <param name="hostOffset">Where that file says how large it is.</param>
    /// <exception cref="Qcow2UnsupportedException">All together take more than is allowed.</exception>
    public void Charge(long bytes, string what, HostFile file, long hostOffset)
    {
        if (bytes > maxBytes - Bytes)
        {
            throw new Qcow2UnsupportedException(
                "large tables",
                $"{what} would take {bytes} bytes of memory, which with the other tables is more than the {maxBytes} that MaxForeignTableBytes allows",
                file.Path,
                hostOffset)
            {
                Hint = nameof(Qcow2OpenOptions.MaxForeignTableBytes),
            };
        }

        Bytes += bytes;
    }

    /// <summary>Refuses a table that does not lie inside its file, and adds what it will take.</summary>
    /// <param name="tableOffset">Where it starts, as the image says.</param>
    /// <param name="tableLength">Its length in bytes; 0 or more.</param>
    /// <param name="bytes">What it will take in memory.</param>
    /// <param name="what">The table, for the message.</param>
    /// <param name="file">The file that it is in.</param>
    /// <param name="hostOffset">Where that file says so.</param>
    /// <exception cref="Qcow2FormatException">It does not lie inside the file.</exception>
    /// <exception cref="Qcow2UnsupportedException">All together take more than is allowed.</exception>
    public void ChargeTable(long tableOffset, long tableLength, long bytes, string what, HostFile file, long hostOffset)
    {
        long fileLength = file.GetLength();
        if (tableOffset < 0 || tableOffset > fileLength - tableLength)
        {
            throw new Qcow2FormatException(
                $"{what} of {tableLength} bytes at 0x{tableOffset:x} does not lie inside the file of {fileLength} bytes", file.Path, hostOffset: hostOffset);
        }

        Charge(bytes, what, file, hostOffset);
    }
}
