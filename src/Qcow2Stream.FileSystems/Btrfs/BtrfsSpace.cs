using System.Runtime.ExceptionServices;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>
/// The address space in which trees and files have their places: chunk by chunk it lies on one device or several, once or more often. A copy that is
/// wrong gives way to the next.
/// </summary>
internal sealed class BtrfsSpace(BtrfsDevices devices)
{
    // What takes most memory of chunks is where they are.
    private const int MostStripes = 1 << 21;

    // Beyond that, what two sums and all that is there can't mend isn't searched for what else is wrong.
    private const long MostInVain = 1L << 30;

    // Sorted, without overlap.
    private readonly List<BtrfsChunk> _chunks = [];

    private int _stripes;

    // How many bytes were computed from others without coming to anything.
    private long _inVain;

    /// <summary>Says whether bytes are what was wanted.</summary>
    public delegate bool Judgement(ReadOnlySpan<byte> bytes);

    public IReadOnlyList<BtrfsChunk> Chunks => _chunks;

    /// <summary>Adds a chunk; one that is there already may be given again.</summary>
    /// <exception cref="GuestException">Another has part of its addresses.</exception>
    public void Add(BtrfsChunk chunk)
    {
        int next = IndexAfter(chunk.Start);
        if (next > 0 && _chunks[next - 1].Start == chunk.Start && _chunks[next - 1].Length == chunk.Length)
        {
            _chunks[next - 1] = chunk;
            return;
        }

        if ((next > 0 && _chunks[next - 1].End > chunk.Start) || (next < _chunks.Count && _chunks[next].Start < chunk.End))
        {
            throw new GuestException($"its chunk at address {chunk.Start} overlaps another");
        }

        _stripes += chunk.Stripes.Length;
        if (_stripes > MostStripes)
        {
            throw new GuestException($"its chunks are in more than {MostStripes} pieces");
        }

        _chunks.Insert(next, chunk);
    }

    /// <summary>Reads bytes that lie in one chunk: the first copy that is there.</summary>
    /// <exception cref="GuestException">There is none.</exception>
    public void Read(ulong address, Span<byte> buffer) => ReadRight(address, buffer, _ => true, "");

    /// <summary>Reads bytes that lie in one chunk, if the first copy of all of them is there; whether they are right isn't known.</summary>
    public bool TryRead(ulong address, Span<byte> buffer)
    {
        try
        {
            return TryReadCopy(ChunkOf(address, buffer.Length), address, buffer, 0, []) is null;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Reads bytes that lie in one chunk: the first copy that is right.</summary>
    /// <param name="address">Where they are.</param>
    /// <param name="buffer">Receives them.</param>
    /// <param name="isRight">Judges them.</param>
    /// <param name="whatElse">What to say if none is.</param>
    /// <exception cref="GuestException">There is none.</exception>
    public void ReadRight(ulong address, Span<byte> buffer, Judgement isRight, string whatElse)
    {
        BtrfsChunk chunk = ChunkOf(address, buffer.Length);
        Exception? fault = null;
        Dictionary<ulong, BtrfsRow> rows = [];
        int copies = Interlocked.Read(ref _inVain) < MostInVain ? chunk.Copies : Math.Min(chunk.Copies, chunk.Simple);
        for (int copy = 0; copy < copies; copy++)
        {
            try
            {
                string? missing = TryReadCopy(chunk, address, buffer, copy, rows);
                if (missing is null && isRight(buffer))
                {
                    return;
                }

                fault ??= new GuestException(missing ?? whatElse);
            }
            catch (IOException e)
            {
                // The image can't be read there; perhaps it can where another copy is.
                fault ??= e;
            }
        }

        Interlocked.Add(ref _inVain, rows.Values.Sum(row => row.Computed));
        ExceptionDispatchInfo.Throw(fault!);
    }

    /// <summary>How many chunks start at or before an address.</summary>
    private int IndexAfter(ulong address)
    {
        (int low, int high) = (0, _chunks.Count);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _chunks[middle].Start <= address ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private BtrfsChunk ChunkOf(ulong address, int length)
    {
        int after = IndexAfter(address);
        return after > 0 && address < _chunks[after - 1].End && (ulong)length <= _chunks[after - 1].End - address
            ? _chunks[after - 1]
            : throw new GuestException($"it points to address {address}, which is in no chunk");
    }

    /// <param name="chunk">The chunk that they are in.</param>
    /// <param name="address">Where they are.</param>
    /// <param name="buffer">Receives them.</param>
    /// <param name="copy">Which copy is read.</param>
    /// <param name="rows">What was read for other copies already, by address.</param>
    /// <returns>Null, or what is missing for that.</returns>
    private string? TryReadCopy(BtrfsChunk chunk, ulong address, Span<byte> buffer, int copy, Dictionary<ulong, BtrfsRow> rows)
    {
        while (buffer.Length > 0)
        {
            (int stripe, ulong place, ulong length) = chunk.Locate(address, chunk.HasParity ? 0 : copy);
            int count = (int)Math.Min((ulong)buffer.Length, length);
            string? missing;
            if (chunk.HasParity && copy > 0)
            {
                if (!rows.TryGetValue(address, out BtrfsRow? row))
                {
                    rows.Add(address, row = new BtrfsRow(devices, chunk, address, count));
                }

                missing = row.TryCompute(buffer[..count], copy == 1 ? null : copy - chunk.Simple);
            }
            else
            {
                missing = devices.TryRead(chunk.Stripes[stripe], place, buffer[..count]);
            }

            if (missing is not null)
            {
                return missing;
            }

            address += (ulong)count;
            buffer = buffer[count..];
        }

        return null;
    }
}
