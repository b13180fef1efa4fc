namespace Shared;

/// <summary>
/// Writes a file from its start to its end and leaves out zeros, which become holes: of every block that holds nothing else
/// nothing is written.
/// </summary>
/// <param name="target">Seekable, standing at its own end.</param>
internal sealed class SparseWriter(Stream target)
{
    // The block of most file systems: a smaller hole is none.
    private const int BlockSize = 4096;

    private readonly long _start = target.Position;
    private long _position;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int run = FirstRun(bytes, out bool isZero);
            if (!isZero)
            {
                Place();
                try
                {
                    target.Write(bytes[..run]);
                }
                catch (ArgumentOutOfRangeException e)
                {
                    throw TooLong(e);
                }
            }

            _position += run;
            bytes = bytes[run..];
        }
    }

    /// <inheritdoc cref="Write"/>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            int run = FirstRun(bytes.Span, out bool isZero);
            if (!isZero)
            {
                Place();
                try
                {
                    await target.WriteAsync(bytes[..run], cancellationToken).ConfigureAwait(false);
                }
                catch (ArgumentOutOfRangeException e)
                {
                    throw TooLong(e);
                }
            }

            _position += run;
            bytes = bytes[run..];
        }
    }

    /// <summary>What lies between here and <paramref name="position"/>, counted from the start, is zeros.</summary>
    public void SkipTo(long position) => _position = position;

    /// <summary>Gives the file its length, which a hole at the end has not.</summary>
    public void Finish() => Finish(_position);

    /// <inheritdoc cref="Finish()"/>
    /// <param name="length">From the start on, in bytes: what was not written up to there is zeros.</param>
    public void Finish(long length)
    {
        _position = length;
        if (target.Length < _start + length)
        {
            SetLength(target, _start + length);
        }

        Place();
    }

    /// <summary>Gives a file a length.</summary>
    /// <exception cref="IOException">Its file system can't hold so long a file, a limit doesn't allow it, or another reason.</exception>
    public static void SetLength(Stream file, long length)
    {
        try
        {
            file.SetLength(length);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new IOException($"a file of {length} bytes is longer than its file system, or a limit of the process, allows", e);
        }
    }

    /// <summary>What .NET takes for a wrong argument.</summary>
    private static IOException TooLong(ArgumentOutOfRangeException e) => new("File too large: its file system, or a limit of the process, lets it grow no further", e);

    private void Place()
    {
        if (target.Position != _start + _position)
        {
            target.Position = _start + _position;
        }
    }

    /// <summary>How many bytes are zeros, block by block of the file, or are not.</summary>
    private int FirstRun(ReadOnlySpan<byte> bytes, out bool isZero)
    {
        int run = BlockLength(bytes, 0);
        isZero = IsZero(bytes[..run]);
        while (run < bytes.Length)
        {
            int block = BlockLength(bytes, run);
            if (IsZero(bytes.Slice(run, block)) != isZero)
            {
                break;
            }

            run += block;
        }

        return run;
    }

    private int BlockLength(ReadOnlySpan<byte> bytes, int at) =>
        Math.Min(BlockSize - (int)((_position + at) & (BlockSize - 1)), bytes.Length - at);

    private static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);
}
