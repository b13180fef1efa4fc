using Qcow2Stream.Format;
using Qcow2Stream.Images;
using Qcow2Stream.Text;
using Shared;

namespace Qcow2Stream.Check;

/// <summary>Checks the bitmap directory and the tables of every bitmap, and counts their references (section "Bitmaps").</summary>
internal static class BitmapCheck
{
    public static IEnumerable<CheckFinding> Check(CheckRun run)
    {
        foreach (BitmapEntry bitmap in ReadDirectory(run))
        {
            string name = $"bitmap '{PrintableText.Escape(bitmap.Name)}'";
            CheckPlace place = new(name, bitmap.EntryOffset);
            if (!run.MayWalk((ulong)bitmap.TableOffset, (long)bitmap.TableSize * sizeof(ulong), CheckFindingKind.Bitmap, place))
            {
                break;
            }

            foreach ((_, long pieceOffset, ulong[] piece) in run.Pieces((ulong)bitmap.TableOffset, bitmap.TableSize, CheckFindingKind.Bitmap, place))
            {
                CheckTable(run, piece, place with { HostOffset = pieceOffset });
                foreach (CheckFinding finding in run.Found())
                {
                    yield return finding;
                }
            }
        }

        foreach (CheckFinding finding in run.Found())
        {
            yield return finding;
        }
    }

    private static void CheckTable(CheckRun run, ReadOnlySpan<ulong> words, CheckPlace table)
    {
        for (int i = 0; i < words.Length; i++)
        {
            ulong entry = words[i];
            if (entry == 0)
            {
                continue;
            }

            CheckPlace place = table with { HostOffset = table.HostOffset + (i * sizeof(ulong)) };
            ulong offset = entry & BitmapEntry.TableOffsetMask;
            if ((entry & BitmapEntry.TableReservedMask) != 0 || (offset != 0 && (entry & BitmapEntry.TableAllOnes) != 0))
            {
                run.Corrupt(CheckFindingKind.Bitmap, place, $"reserved bits are set in its table entry 0x{entry:x16}");
            }
            else if (!run.Geometry.IsClusterAligned((long)offset))
            {
                run.Corrupt(CheckFindingKind.Bitmap, place, $"cluster offset 0x{offset:x} is not cluster-aligned");
            }
            else if (offset != 0)
            {
                run.Count(offset, run.Geometry.ClusterSize, ClusterUse.Data, place);
            }
        }
    }

    private static List<BitmapEntry> ReadDirectory(CheckRun run)
    {
        Qcow2Header header = run.Image.Header;
        long extensionOffset = header.Extensions.FirstOrDefault(e => e.Type == HeaderExtensions.Bitmaps).Offset;
        CheckPlace pointer = new("bitmap directory", extensionOffset);
        if (extensionOffset != 0 && !header.HasConsistentBitmaps)
        {
            run.Warn(
                CheckFindingKind.HeaderFlag,
                pointer,
                "autoclear feature bit 0 is clear: something that does not know bitmaps wrote to the image, so they are void and their clusters leaked");
        }

        try
        {
            if (BitmapsExtension.Parse(header, run.Image.File.Path) is { } extension)
            {
                run.Count(extension.DirectoryOffset, (long)Math.Min(extension.DirectorySize, long.MaxValue), ClusterUse.Metadata, pointer);
            }

            return BitmapDirectory.ReadAsync(run.Image, run.Options, async: false, default).Now();
        }
        catch (Qcow2Exception e) when (e is Qcow2FormatException or Qcow2UnsupportedException)
        {
            run.Unreadable(CheckFindingKind.Bitmap, pointer with { HostOffset = e.HostOffset ?? pointer.HostOffset }, e.Problem);
            return [];
        }
    }
}
