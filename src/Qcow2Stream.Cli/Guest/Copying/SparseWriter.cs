namespace Qcow2Stream.Cli.Guest.Copying;

/// <summary>Writes a file from start to end, and leaves holes for zeros.</summary>
internal sealed class SparseWriter(FileStream file)
{
    // The block of most file systems: a smaller hole is none.
    private const int BlockSize = 4096;

    private long _length;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bool isZero = IsZero(Block(bytes));
            int run = Block(bytes).Length;
            while (run < bytes.Length && IsZero(Block(bytes[run..])) == isZero)
            {
                run += Block(bytes[run..]).Length;
            }

            if (isZero)
            {
                file.Seek(run, SeekOrigin.Current);
            }
            else
            {
                file.Write(bytes[..run]);
            }

            _length += run;
            bytes = bytes[run..];
        }
    }

    /// <summary>Gives the file its length, which a hole at the end has not.</summary>
    public void Finish() => file.SetLength(_length);

    private static ReadOnlySpan<byte> Block(ReadOnlySpan<byte> bytes) => bytes[..Math.Min(BlockSize, bytes.Length)];

    private static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);
}
