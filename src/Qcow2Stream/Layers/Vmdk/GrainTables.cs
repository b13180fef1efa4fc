using System.Buffers;
using System.Buffers.Binary;
using Qcow2Stream.Images;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>
/// Loads the grain tables of all extents of a disk, and pieces of their grain directories: entries as <see cref="SparseHeader"/> understands them. Those used
/// last are kept. Safe for any number of threads.
/// </summary>
internal sealed class GrainTables
{
    // Entries of a directory that are read at once.
    private const int PieceEntries = 512;
    private const int PieceBytes = PieceEntries * sizeof(ulong);

    // A table has hundreds of grains for each of its own entries in the directory.
    private const int DirectoryShare = 8;

    private readonly TableCache _directories;
    private readonly TableCache _tables;

    /// <summary>Initializes the tables.</summary>
    /// <param name="parts">The extents of the disk.</param>
    /// <param name="cacheBytes">The memory for tables.</param>
    public GrainTables(IReadOnlyList<VmdkPart> parts, long cacheBytes)
    {
        long tables = 1 + parts.Sum(p => (long)(p.Header?.Tables ?? 0));
        int largest = 1 + parts.Max(p => p.Header?.TableEntries ?? 0);
        _directories = new TableCache(cacheBytes / DirectoryShare, PieceBytes, parts.Count + (tables / PieceEntries));
        _tables = new TableCache(cacheBytes - (cacheBytes / DirectoryShare), largest * sizeof(ulong), tables);
    }

    /// <summary>Finds a grain table.</summary>
    /// <param name="part">A sparse extent.</param>
    /// <param name="index">The number of the table in it.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Its entries, or null if it has none that say anything.</returns>
    /// <exception cref="Qcow2FormatException">It does not lie inside the file.</exception>
    public async ValueTask<ulong[]?> FindAsync(VmdkPart part, int index, bool async, CancellationToken cancellationToken)
    {
        SparseHeader header = part.Header!;
        TableFile source = part.Source!;
        long number = part.FirstTable + index;
        if (_tables.TryGet(number, out ulong[]? table))
        {
            return table;
        }

        ulong place = await FindPlaceAsync(part, index, async, cancellationToken).ConfigureAwait(false);
        if (place == SparseHeader.Unallocated)
        {
            return null;
        }

        int length = header.TableEntries * header.EntryLength;
        long end = place <= long.MaxValue / 2 ? (long)place + length : long.MaxValue;
        if (end == long.MaxValue || end > source.FileLengthFor(end))
        {
            throw new Qcow2FormatException(
                $"grain table {index} at 0x{place:x} does not lie inside the file",
                source.File.Path,
                part.Start + (index * header.TableCoverage),
                header.DirectoryOffset + ((long)index * header.EntryLength));
        }

        if (source.File.GetHoleLength((long)place, length) == length)
        {
            return null;
        }

        table = new ulong[header.TableEntries];
        await LoadAsync(part, (long)place, table, header.Grain, async, cancellationToken).ConfigureAwait(false);
        _tables.Add(number, table);
        return table;
    }

    private async ValueTask<ulong> FindPlaceAsync(VmdkPart part, int index, bool async, CancellationToken cancellationToken)
    {
        SparseHeader header = part.Header!;
        int first = index / PieceEntries * PieceEntries;

        // No two pieces have the same first table.
        long number = part.FirstTable + first;
        if (!_directories.TryGet(number, out ulong[]? piece))
        {
            piece = new ulong[Math.Min(PieceEntries, header.Tables - first)];
            await LoadAsync(part, header.DirectoryOffset + ((long)first * header.EntryLength), piece, header.Table, async, cancellationToken)
                .ConfigureAwait(false);
            _directories.Add(number, piece);
        }

        return piece[index - first];
    }

    private static async ValueTask LoadAsync(
        VmdkPart part, long hostOffset, ulong[] entries, Func<ulong, ulong> meaning, bool async, CancellationToken cancellationToken)
    {
        TableFile source = part.Source!;
        int entryLength = part.Header!.EntryLength;
        int length = entries.Length * entryLength;
        byte[] bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await TablePieces.ReadExactlyAsync(source, hostOffset, bytes.AsMemory(0, length), "a grain table or directory", async, cancellationToken)
                .ConfigureAwait(false);
            source.CountTable(length);
            for (int i = 0; i < entries.Length; i++)
            {
                ReadOnlySpan<byte> entry = bytes.AsSpan(i * entryLength);
                entries[i] = meaning(
                    entryLength == sizeof(ulong) ? BinaryPrimitives.ReadUInt64LittleEndian(entry) : BinaryPrimitives.ReadUInt32LittleEndian(entry));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
