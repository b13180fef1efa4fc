using DiscUtils.Streams;
using Qcow2Stream.Fuzz.Seeding;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>
/// The input is the number of bitmaps in a byte, the size of their directory in two, and then the end of an image that
/// starts with the directory. The bitmaps are listed, and read as extents.
/// </summary>
internal sealed class BitmapsHarness : IHarness
{
    private const int MostRead = 4;
    private const int MostExtents = 1024;
    private const int CountMask = 0x3F;
    private const int LenientBit = 0x40;
    private const int Prefix = 3;

    public string Name => "bitmaps";

    public IEnumerable<KeyValuePair<string, byte[]>> Seeds => BitmapSeeds.All;

    public void Run(ArraySegment<byte> input)
    {
        if (input.Count < Prefix)
        {
            return;
        }

        byte[] image = [.. BitmapSeeds.Template, .. input[Prefix..]];
        image.WriteU32(BitmapSeeds.CountAt, (uint)(input[0] & CountMask));
        image.WriteU64(BitmapSeeds.DirectorySizeAt, (uint)((input[1] << 8) | input[2]));
        Qcow2OpenOptions options = FuzzOptions.Default with { Lenient = (input[0] & LenientBit) != 0 };
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image, writable: false), options);
        try
        {
            foreach (Qcow2Bitmap bitmap in chain.GetBitmaps().Take(MostRead))
            {
                Read(chain, bitmap);
            }
        }
        catch (Qcow2Exception)
        {
            // The directory is damaged.
        }
    }

    private static void Read(Qcow2Chain chain, Qcow2Bitmap bitmap)
    {
        List<StreamExtent> extents = [];
        bool isWhole = TryList(bitmap.GetDirtyExtents(), extents);
        long position = -1;
        foreach (StreamExtent extent in extents)
        {
            long end = extent.Start + extent.Length;
            if (extent.Start <= position || extent.Length <= 0 || end > chain.Length
                || extent.Start % bitmap.Granularity != 0 || (end % bitmap.Granularity != 0 && end != chain.Length))
            {
                throw new BrokenInvariantException(
                    $"{extent} of bitmaps of {bitmap.Granularity} bytes, behind {position}, on a disk of {chain.Length}");
            }

            position = end;
        }

        if (!isWhole)
        {
            return;
        }

        // A range says the same of its part, whatever its borders.
        long from = chain.Length / 3;
        long to = chain.Length - 700;
        List<StreamExtent> part = [];
        if (!TryList(bitmap.GetDirtyExtents(from, to - from), part))
        {
            throw new BrokenInvariantException("the whole bitmap can be read, and a part of it can't");
        }

        IEnumerable<(long Start, long End)> expected = extents
            .Select(e => (Start: Math.Max(from, e.Start), End: Math.Min(to, e.Start + e.Length)))
            .Where(e => e.Start < e.End);
        if (!expected.SequenceEqual(part.Select(e => (e.Start, e.Start + e.Length))))
        {
            throw new BrokenInvariantException("a part of the bitmap says otherwise than the whole");
        }
    }

    /// <returns>Whether all extents were listed.</returns>
    private static bool TryList(IEnumerable<StreamExtent> source, List<StreamExtent> extents)
    {
        try
        {
            extents.AddRange(source.Take(MostExtents));
            return extents.Count < MostExtents;
        }
        catch (Qcow2Exception)
        {
            return false;
        }
    }
}
