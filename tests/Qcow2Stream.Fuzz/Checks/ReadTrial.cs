namespace Qcow2Stream.Fuzz.Checks;

/// <summary>Reads a range in every way that the library has; all must come to the same.</summary>
internal sealed class ReadTrial(Qcow2Chain chain)
{
    private const int MostLength = 64 << 10;

    // One thread runs harnesses.
    private static readonly byte[] First = new byte[MostLength];
    private static readonly byte[] Second = new byte[MostLength];

    private readonly Qcow2ChainStream _stream = chain.OpenStream();
    private int _length;

    /// <summary>What the last read gave.</summary>
    public ReadOnlySpan<byte> Bytes => First.AsSpan(0, _length);

    /// <summary>Reads a range by ReadAt, by ReadAtAsync and, in parts, by a stream.</summary>
    /// <param name="position">Where it starts, inside the disk.</param>
    /// <param name="length">How long it is, inside the disk.</param>
    /// <param name="mayDiffer">
    /// Whether one way may end in an error where another does not. Of a compressed cluster that is asked for in parts only
    /// the start is decompressed at first, so damage to its end shows at the second read.
    /// </param>
    /// <returns>Whether the range can be read.</returns>
    public bool TryRead(long position, int length, bool mayDiffer)
    {
        _length = length;
        Qcow2Exception? error = Try(() => chain.ReadAt(position, First.AsSpan(0, length)), length);
        Second.AsSpan(0, length).Fill(0xA5);
        Qcow2Exception? otherError = Try(
            () => chain.ReadAtAsync(position, Second.AsMemory(0, length)).AsTask().GetAwaiter().GetResult(), length);
        Compare(error, otherError, position, "ReadAtAsync", mayDiffer);

        Second.AsSpan(0, length).Fill(0xA5);
        Compare(error, error is null ? TryReadParts(position, length) : TryReadStream(position, 0, length), position, "the stream", mayDiffer);
        return error is null;
    }

    private Qcow2Exception? TryReadParts(long position, int length)
    {
        // Borders off all sectors and clusters.
        int part = (length / 3) + 1;
        Qcow2Exception? error = null;
        for (int done = 0; done < length && error is null; done += part)
        {
            error = TryReadStream(position, done, Math.Min(part, length - done));
        }

        return error;
    }

    private Qcow2Exception? TryReadStream(long position, int done, int length)
    {
        _stream.Position = position + done;
        Qcow2Exception? error = Try(() => _stream.Read(Second.AsSpan(done, length)), length);
        long expected = position + done + (error is null ? length : 0);
        return _stream.Position == expected
            ? error
            : throw new BrokenInvariantException($"the stream's cursor is at {_stream.Position}, not at {expected}");
    }

    private static Qcow2Exception? Try(Func<int> read, int length)
    {
        try
        {
            int got = read();
            return got == length ? null : throw new BrokenInvariantException($"{got} bytes were read in place of {length}");
        }
        catch (Qcow2Exception e)
        {
            return e;
        }
    }

    private void Compare(Qcow2Exception? first, Qcow2Exception? second, long position, string way, bool mayDiffer)
    {
        if (first?.GetType() != second?.GetType())
        {
            if (!mayDiffer)
            {
                throw new BrokenInvariantException(
                    $"{_length} bytes at {position}: ReadAt says '{first?.Message}', {way} '{second?.Message}'");
            }
        }
        else if (first is null && !First.AsSpan(0, _length).SequenceEqual(Second.AsSpan(0, _length)))
        {
            int at = First.AsSpan(0, _length).CommonPrefixLength(Second.AsSpan(0, _length));
            throw new BrokenInvariantException($"{_length} bytes at {position}: byte {at} of {way} differs from ReadAt's");
        }
    }
}
