using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>
/// What the replay of a journal would write to a volume, kept in memory: it is read in the place of what the volume has. Nothing is written anywhere. Once it is
/// filled, any number of threads may read.
/// </summary>
/// <param name="unit">What is written is whole units of so many bytes, a power of two, at multiples of it.</param>
/// <param name="maxBytes">How much may be kept.</param>
internal sealed class Overlay(int unit, long maxBytes)
{
    // By the number of the unit.
    private readonly SortedDictionary<long, byte[]> _units = [];
    private long[]? _sorted;

    /// <summary>How many bytes it holds.</summary>
    public long Length => _units.Count * (long)unit;

    private long[] Sorted => _sorted ??= [.. _units.Keys];

    /// <summary>Writes whole units; what was written there before is replaced.</summary>
    /// <exception cref="GuestException">It is more than may be kept.</exception>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        if (offset % unit != 0 || bytes.Length % unit != 0)
        {
            throw new ArgumentException($"{bytes.Length} bytes at {offset} are not whole units of {unit}.", nameof(offset));
        }

        for (int at = 0; at < bytes.Length; at += unit)
        {
            long number = (offset + at) / unit;
            if (_units.TryGetValue(number, out byte[]? kept))
            {
                bytes.Slice(at, unit).CopyTo(kept);
            }
            else if (Length + unit > maxBytes)
            {
                throw new GuestException($"its replay would write more than {maxBytes} bytes");
            }
            else
            {
                _units.Add(number, bytes.Slice(at, unit).ToArray());
                _sorted = null;
            }
        }
    }

    /// <summary>Puts what it holds of a range over what the volume has there.</summary>
    /// <param name="offset">Where the range starts on the volume.</param>
    /// <param name="buffer">What the volume has.</param>
    public void Cover(long offset, Span<byte> buffer)
    {
        for (int index = FirstFrom(offset); index < Sorted.Length && Sorted[index] * unit < offset + buffer.Length; index++)
        {
            long start = Sorted[index] * unit;
            int skipped = (int)Math.Max(0, offset - start);
            int at = (int)Math.Max(0, start - offset);
            int count = Math.Min(unit - skipped, buffer.Length - at);
            _units[Sorted[index]].AsSpan(skipped, count).CopyTo(buffer[at..]);
        }
    }

    /// <summary>The parts of a range that are stored, on the volume or here.</summary>
    public IEnumerable<StreamExtent> Join(IEnumerable<StreamExtent> stored, long start, long length) => StreamExtent.Union(stored, Kept(start, length));

    private IEnumerable<StreamExtent> Kept(long start, long length)
    {
        for (int index = FirstFrom(start); index < Sorted.Length && Sorted[index] * unit < start + length; index++)
        {
            long first = Math.Max(start, Sorted[index] * unit);
            yield return new StreamExtent(first, Math.Min(start + length, (Sorted[index] + 1) * unit) - first);
        }
    }

    /// <summary>The first unit that ends behind a place.</summary>
    private int FirstFrom(long offset)
    {
        int index = Array.BinarySearch(Sorted, offset / unit);
        return index < 0 ? ~index : index;
    }
}
