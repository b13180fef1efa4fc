namespace Qcow2Stream.Layers.Foreign;

/// <summary>
/// Judges what a file says of its tables before DiscUtils, which allocates whatever a field claims, gets to see it. What isn't of the format is left to
/// DiscUtils to refuse.
/// </summary>
internal static class ForeignTables
{
    /// <summary>Judges a file: the image itself, or one that it names.</summary>
    /// <param name="extension">The format of the image, by DiscUtils' name for it.</param>
    /// <param name="file">The file.</param>
    /// <param name="memory">Adds up what the tables will take.</param>
    /// <exception cref="Qcow2FormatException">A field contradicts the format, or the file.</exception>
    /// <exception cref="Qcow2UnsupportedException">The tables take more memory than is allowed, or DiscUtils would misread the image.</exception>
    public static void Judge(string extension, HostFile file, TableMemory memory)
    {
        switch (extension)
        {
            case "vhd":
                VhdTables.Judge(file, memory);
                break;
            case "vhdx":
                VhdxTables.Judge(file, memory);
                break;
            case "vdi":
                VdiTables.Judge(file, memory);
                break;
            default:
                break;
        }
    }
}
