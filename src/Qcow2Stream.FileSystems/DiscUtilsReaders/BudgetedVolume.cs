using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>
/// A volume as a reader of DiscUtils sees it. These trust what a disk says: a length that is damaged, or a chain that leads round in a circle, keeps them
/// reading. So what is read for one step (opening, one entry, one piece of a file) is held against what was asked for and what the volume has.
/// </summary>
/// <param name="volume">The volume.</param>
internal sealed class BudgetedVolume(FileSystemSource volume) : IBlockSource
{
    // What a step may read beside what was asked for: tables are read whole, some of them several times.
    private const long MaxOverhead = 1 << 30;
    private const long MinOverhead = 1 << 20;
    private const int VolumeReads = 4;

    // A reader may take more than what is asked for, such as whole units of compression, and the tables that lead there.
    private const int ReadsOfAsked = 16;

    private readonly long _overhead = Math.Min(MinOverhead + (Math.Min(volume.Length, MaxOverhead) * VolumeReads), MaxOverhead);
    private int _steps;
    private long _left;

    public long Length => volume.Length;

    public int SectorSize => volume.SectorSize;

    public GuestOptions Options => volume.Options;

    public int ReadAt(long offset, Span<byte> buffer)
    {
        // Reading nothing again and again is work too.
        _left -= Math.Max(buffer.Length, SectorSize);
        return _left >= 0 ? volume.ReadAt(offset, buffer) : throw new GuestException(
            $"what it says keeps its reader reading: more than {_overhead} bytes beside what was asked for");
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length) => volume.GetExtents(start, length);

    /// <summary>Does one step.</summary>
    /// <exception cref="GuestException">It fails, in whatever way.</exception>
    public T Call<T>(Func<T> read)
    {
        using Step step = Begin();
        return ReaderErrors.Call(read);
    }

    /// <summary>Takes the items, each as a step of its own.</summary>
    /// <inheritdoc cref="ReaderErrors.Each" path="/summary"/>
    public IEnumerable<T> Each<T>(Func<IEnumerable<T>> read)
    {
        using IEnumerator<T> items = Call(() => read().GetEnumerator());
        while (Call(items.MoveNext))
        {
            yield return items.Current;
        }
    }

    /// <summary>Begins a step, unless it is part of another.</summary>
    /// <param name="asked">How many bytes are asked for.</param>
    public Step Begin(int asked = 0)
    {
        if (_steps++ == 0)
        {
            _left = _overhead + ((long)asked * ReadsOfAsked);
        }

        return new Step(this);
    }

    /// <summary>A step, which ends when it is disposed.</summary>
    internal readonly struct Step(BudgetedVolume volume) : IDisposable
    {
        public void Dispose() => volume._steps--;
    }
}
