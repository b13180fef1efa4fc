using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>The content of a file as a stream of DiscUtils gives it, for one user.</summary>
/// <param name="volume">What it is read from.</param>
/// <param name="content">The stream.</param>
/// <param name="length">The file's size in bytes.</param>
/// <param name="stored">Which parts of it are stored; null if that isn't known.</param>
internal sealed class DiscUtilsContent(BudgetedVolume volume, Stream content, long length, Func<IEnumerable<StreamExtent>?>? stored = null) : FileContent(length)
{
    public override IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        long end = start + this.Clip(start, length);
        if (stored is not null && volume.Call(stored) is { } parts)
        {
            return volume.Each(() => parts)
                .Select(extent => (First: Math.Max(extent.Start, start), Stop: Math.Min(extent.Start + extent.Length, end)))
                .Where(range => range.First < range.Stop)
                .Select(range => new StreamExtent(range.First, range.Stop - range.First));
        }

        // It may be holes, or a size that is damaged: without an end in sight it isn't walked.
        return Length <= volume.Length
            ? BlockSource.Whole(this, start, length)
            : throw new GuestException($"it is longer than its volume ({Length} bytes), and where its holes are isn't known");
    }

    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        using BudgetedVolume.Step step = volume.Begin(buffer.Length);
        if (content.Position != offset)
        {
            content.Position = offset;
        }

        return content.Read(buffer);
    }
}
