using System.Buffers;
using Qcow2Stream.Format;
using Shared;

namespace Qcow2Stream.Images;

/// <summary>Reads an image's snapshot table, entry by entry: nothing is allocated by what a field claims.</summary>
internal static class SnapshotTable
{
    private const string What = "the snapshot table";
    private const int MaxNames = 2 * ushort.MaxValue;
    private const int MaxEntry = SnapshotEntry.FixedLength + SnapshotEntry.MaxExtraData + MaxNames;

    /// <summary>Finds a snapshot by its id or, where no id fits, by its name.</summary>
    /// <exception cref="Qcow2Exception">There is none; the message lists those that exist.</exception>
    public static async ValueTask<Qcow2Snapshot> FindAsync(
        Qcow2Image image, string idOrName, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken)
    {
        List<Qcow2Snapshot> snapshots = await ReadAsync(image, options, async, cancellationToken).ConfigureAwait(false);
        return snapshots.Find(s => s.Id == idOrName)
            ?? snapshots.Find(s => s.Name == idOrName)
            ?? throw new Qcow2Exception(
                snapshots.Count == 0
                    ? $"there is no snapshot '{idOrName}': the image has none"
                    : $"there is no snapshot '{idOrName}'; there are {string.Join(", ", snapshots.Select(s => $"{PrintableText.Escape(s.Id)} ({PrintableText.Escape(s.Name)})"))}",
                image.File.Path);
    }

    /// <summary>Reads all entries.</summary>
    /// <exception cref="Qcow2FormatException">The table is damaged.</exception>
    /// <exception cref="Qcow2UnsupportedException">It passes a limit of the options.</exception>
    public static async ValueTask<List<Qcow2Snapshot>> ReadAsync(
        Qcow2Image image, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken)
    {
        (uint count, ulong start) = (image.Header.SnapshotCount, image.Header.SnapshotsOffset);
        string? path = image.File.Path;
        if (count > options.MaxSnapshots)
        {
            throw new Qcow2UnsupportedException(
                "many snapshots", $"nb_snapshots is {count}, more than the {options.MaxSnapshots} that MaxSnapshots allows", path, HeaderLayout.NbSnapshots)
            {
                Hint = nameof(Qcow2OpenOptions.MaxSnapshots),
            };
        }

        List<Qcow2Snapshot> snapshots = [];
        if (count == 0)
        {
            return snapshots;
        }

        if (start > long.MaxValue || !image.Geometry.IsClusterAligned((long)start))
        {
            throw new Qcow2FormatException(
                $"snapshot table offset 0x{start:x} is not cluster-aligned", path, hostOffset: HeaderLayout.SnapshotsOffset);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxEntry);
        try
        {
            long position = (long)start;
            for (uint i = 0; i < count; i++)
            {
                await TablePieces.ReadExactlyAsync(
                    image, position, buffer.AsMemory(0, SnapshotEntry.FixedLength), What, async, cancellationToken).ConfigureAwait(false);
                int length = SnapshotEntry.LengthOf(buffer, path, position);
                await TablePieces.ReadExactlyAsync(image, position, buffer.AsMemory(0, length), What, async, cancellationToken)
                    .ConfigureAwait(false);
                snapshots.Add(SnapshotEntry.Parse(buffer.AsSpan(0, length), image.Header.Size, path, position));
                position += SnapshotEntry.Padded(length);
                if (position - (long)start > options.MaxSnapshotTableBytes)
                {
                    throw new Qcow2UnsupportedException(
                        "large snapshot table",
                        $"the snapshot table is longer than the {options.MaxSnapshotTableBytes} bytes that MaxSnapshotTableBytes allows",
                        path,
                        (long)start)
                    {
                        Hint = nameof(Qcow2OpenOptions.MaxSnapshotTableBytes),
                    };
                }
            }

            return snapshots;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
