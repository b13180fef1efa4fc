using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>The disk of a VMDK: guest offset → extent → grain directory → grain table → grain. Safe for any number of threads.</summary>
/// <param name="parts">The extents, in order, without gaps; one or more.</param>
/// <param name="tables">Those of the extents.</param>
internal sealed class VmdkTranslator(VmdkPart[] parts, GrainTables tables) : ITranslator
{
    public long Length { get; } = parts[^1].End;

    public HostRun Translate(long guestOffset, long maxLength, RunDetail detail) =>
        RunOf(guestOffset, FindAsync(guestOffset, maxLength, async: false, default).Now());

    public async ValueTask<HostRun> TranslateAsync(long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken) =>
        RunOf(guestOffset, await FindAsync(guestOffset, maxLength, async: true, cancellationToken).ConfigureAwait(false));

    /// <summary>Finds where bytes are.</summary>
    /// <param name="guestOffset">From 0 to below <see cref="Length"/>.</param>
    /// <param name="maxLength">The most bytes to answer for; 1 or more.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the reading of tables.</param>
    /// <exception cref="Qcow2FormatException">A table or a grain does not lie inside its file.</exception>
    public ValueTask<VmdkPlace> FindAsync(long guestOffset, long maxLength, bool async, CancellationToken cancellationToken)
    {
        VmdkPart part = PartAt(guestOffset);
        return FindAsync(part, guestOffset - part.Start, maxLength, async, cancellationToken);
    }

    /// <inheritdoc cref="FindAsync(long, long, bool, CancellationToken)"/>
    /// <param name="part">An extent, of the disk or a longer form of one.</param>
    /// <param name="offset">In the extent, in bytes.</param>
    /// <param name="maxLength">The most bytes to answer for; 1 or more.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the reading of tables.</param>
    public async ValueTask<VmdkPlace> FindAsync(VmdkPart part, long offset, long maxLength, bool async, CancellationToken cancellationToken)
    {
        long most = Math.Min(maxLength, part.Length - offset);
        if (part.Header is not { } header)
        {
            return part.Source is null
                ? new VmdkPlace(part, RunKind.Zero, most)
                : new VmdkPlace(part, RunKind.Data, most, part.FlatOffset + offset);
        }

        long inTable = offset % header.TableCoverage;
        most = Math.Min(most, header.TableCoverage - inTable);
        return await tables.FindAsync(part, (int)(offset / header.TableCoverage), async, cancellationToken).ConfigureAwait(false) is { } table
            ? Scan(part, header, table, offset, inTable, most)
            : new VmdkPlace(part, RunKind.Unallocated, most);
    }

    private static VmdkPlace Scan(VmdkPart part, SparseHeader header, ulong[] table, long offset, long inTable, long maxLength)
    {
        int index = (int)(inTable / header.GrainLength);
        long inGrain = inTable % header.GrainLength;
        ulong entry = table[index];
        long GrainsFor(long bytes) => (bytes + header.GrainLength - 1) / header.GrainLength;
        int CountRun(ulong step) =>
            EntryScan.CountRun(table.AsSpan(index, (int)GrainsFor(inGrain + maxLength)), ulong.MaxValue, entry, step);
        long LengthOf(long grains) => Math.Min(maxLength, (grains * header.GrainLength) - inGrain);

        if (entry is SparseHeader.Unallocated or SparseHeader.Zeroed)
        {
            return new VmdkPlace(part, entry == SparseHeader.Zeroed ? RunKind.Zero : RunKind.Unallocated, LengthOf(CountRun(step: 0)));
        }

        // Also what the format does not know is further than any file goes.
        long fileLength = part.Source!.FileLengthFor(entry <= long.MaxValue ? (long)entry + 1 : long.MaxValue);
        if (entry >= (ulong)fileLength)
        {
            throw new Qcow2FormatException(
                entry == SparseHeader.Unknown ? "a grain table has an entry that the format does not know"
                : $"a grain at 0x{entry:x} lies past the end of the file of {fileLength} bytes",
                part.Source.File.Path,
                part.Start + offset);
        }

        if (header.IsCompressed)
        {
            return new VmdkPlace(part, RunKind.Compressed, LengthOf(1), (long)entry, inGrain);
        }

        int grains = CountRun((ulong)header.GrainLength);
        fileLength = part.Source.FileLengthFor((long)entry + (grains * header.GrainLength));
        return new VmdkPlace(part, RunKind.Data, LengthOf(Math.Min(grains, GrainsFor(fileLength - (long)entry))), (long)entry + inGrain, inGrain);
    }

    private VmdkPart PartAt(long guestOffset)
    {
        int low = 0;
        int high = parts.Length - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = guestOffset < parts[middle].End ? (low, middle) : (middle + 1, high);
        }

        return parts[low];
    }

    /// <summary>A place in another file than the image's own has no name in a map; nor has a compressed grain, as in QEMU.</summary>
    private static HostRun RunOf(long guestOffset, in VmdkPlace place)
    {
        bool isStored = place.Kind is RunKind.Data or RunKind.Compressed;
        bool isShown = place.Kind == RunKind.Data && place.Part.IsOwnFile;
        return new HostRun
        {
            Kind = isStored ? RunKind.Data : place.Kind,
            GuestOffset = guestOffset,
            Length = place.Length,
            HostOffset = isShown ? place.HostOffset : HostRun.Nowhere,
            HostLength = isShown ? place.Length : 0,
        };
    }
}
