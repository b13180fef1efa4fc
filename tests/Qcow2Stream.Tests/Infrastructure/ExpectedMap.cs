using System.Globalization;
using System.Text;

namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>The map that follows from an image's description, found without reading the image.</summary>
internal sealed class ExpectedMap
{
    private readonly List<ExpectedExtent> _extents = [];

    public ExpectedMap(Qcow2Builder description, IEnumerable<ExpectedRun> runs)
    {
        long position = 0;
        foreach (ExpectedRun run in runs.OrderBy(run => run.GuestOffset).Where(run => run.GuestOffset < description.Size))
        {
            if (run.IsUnknown)
            {
                throw new InvalidOperationException("The description has an entry whose meaning it does not know.");
            }

            AddUnallocated(description, position, run.GuestOffset, null);
            position = Math.Min(run.GuestOffset + run.Length, description.Size);
            if (run.Present)
            {
                Add(new ExpectedExtent(run.GuestOffset, position - run.GuestOffset, 0, true, run.IsZero, run.IsData, run.IsCompressed, run.HostOffset));
            }
            else
            {
                AddUnallocated(description, run.GuestOffset, position, run.HostOffset);
            }
        }

        AddUnallocated(description, position, description.Size, null);
        if (description.Size == 0)
        {
            _extents.Add(new ExpectedExtent(0, 0, 0, false, false, false, false, null));
        }
    }

    public IReadOnlyList<ExpectedExtent> Extents => _extents;

    /// <summary>As <c>qemu-img map --output=json</c> prints it; the field "compressed" came with QEMU 8.2.</summary>
    public string ToJson(bool withCompressed)
    {
        var builder = new StringBuilder("[");
        string separator = "";
        foreach (ExpectedExtent extent in _extents)
        {
            builder.Append(separator).Append(
                CultureInfo.InvariantCulture,
                $"{{ \"start\": {extent.Start}, \"length\": {extent.Length}, \"depth\": {extent.Depth}, \"present\": {Text(extent.Present)}, \"zero\": {Text(extent.Zero)}, \"data\": {Text(extent.Data)}");
            if (withCompressed)
            {
                builder.Append(", \"compressed\": ").Append(Text(extent.Compressed));
            }

            if (extent.Offset is { } offset)
            {
                builder.Append(CultureInfo.InvariantCulture, $", \"offset\": {offset}");
            }

            builder.Append('}');
            separator = ",\n";
        }

        return builder.Append("]\n").ToString();
    }

    private static string Text(bool value) => value ? "true" : "false";

    private void AddUnallocated(Qcow2Builder description, long start, long end, long? hostOffset)
    {
        if (start >= end)
        {
            return;
        }

        if (description.Backing is not { } below)
        {
            Add(new ExpectedExtent(start, end - start, 0, false, true, false, false, hostOffset));
            return;
        }

        foreach (ExpectedExtent extent in below.ExpectedMap.Extents.Where(extent => extent.Start < end && extent.End > start))
        {
            ExpectedExtent part = extent.Clip(start, end);
            Add(part with { Depth = part.Depth + 1 });
        }

        long rest = Math.Max(start, below.Size);
        if (rest < end)
        {
            Add(new ExpectedExtent(rest, end - rest, 0, false, true, false, false, hostOffset + (rest - start)));
        }
    }

    private void Add(ExpectedExtent extent)
    {
        if (_extents.Count > 0 && extent.Continues(_extents[^1]))
        {
            _extents[^1] = _extents[^1] with { Length = _extents[^1].Length + extent.Length };
        }
        else
        {
            _extents.Add(extent);
        }
    }
}
