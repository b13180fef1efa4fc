using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>What the replay has written so far, in sectors over those of the volume.</summary>
/// <param name="source">The volume.</param>
/// <param name="budget">What the memory is taken from.</param>
internal sealed class XfsLogBlocks(FileSystemSource source, XfsLogBudget budget)
{
    /// <summary>What it is kept in, which is also what the log counts places in.</summary>
    public const int Sector = 512;

    private readonly Dictionary<long, byte[]> _sectors = [];

    // By where they start, how long the blocks are that need a new checksum.
    private readonly Dictionary<long, int> _unsealed = [];

    /// <summary>Where a buffer is, in bytes.</summary>
    /// <param name="place">The number of its first sector.</param>
    /// <param name="sectors">How many it has.</param>
    /// <exception cref="GuestException">It is not on the volume, or none.</exception>
    public long OffsetOf(ulong place, uint sectors) =>
        sectors is > 0 and <= XfsLogLayout.Buffer.MaxLength / Sector
        && (ulong)source.Length / Sector is var all && place <= all && sectors <= all - place
            ? (long)place * Sector
            : throw XfsLogItem.Damaged();

    public byte[] Read(long offset, int length)
    {
        byte[] bytes = new byte[length];
        source.ReadExactly(offset, bytes);
        for (long sector = offset / Sector; sector * Sector < offset + length; sector++)
        {
            if (_sectors.TryGetValue(sector, out byte[]? written))
            {
                int skipped = (int)Math.Max(0, offset - (sector * Sector));
                int at = (int)Math.Max(0, (sector * Sector) - offset);
                written.AsSpan(skipped, Math.Min(Sector - skipped, length - at)).CopyTo(bytes.AsSpan(at));
            }
        }

        return bytes;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            (long sector, long skipped) = Math.DivRem(offset, Sector);
            int count = Math.Min(bytes.Length, Sector - (int)skipped);
            if (!_sectors.TryGetValue(sector, out byte[]? written))
            {
                budget.Take(Sector + (2 * XfsLogBudget.Overhead));
                written = new byte[Sector];
                source.ReadExactly(sector * Sector, written);
                _sectors.Add(sector, written);
            }

            bytes[..count].CopyTo(written.AsSpan((int)skipped));
            bytes = bytes[count..];
            offset += count;
        }
    }

    /// <summary>Notes that a block gets a new checksum when all is written.</summary>
    public void SealLater(long offset, int length)
    {
        if (_unsealed.TryAdd(offset, length))
        {
            budget.Take(XfsLogBudget.Overhead);
            budget.Work(length);
        }
        else
        {
            _unsealed[offset] = length;
        }
    }

    /// <summary>Gives blocks their checksums, as Linux does when it writes them; the log has none that are right.</summary>
    public void Seal()
    {
        foreach ((long offset, int length) in _unsealed)
        {
            byte[] block = Read(offset, length);
            if (XfsLogKind.Of(block) is { } kind)
            {
                Write(offset + kind.Checksum, XfsChecksum.Of(block, kind.Checksum));
            }
        }
    }

    /// <summary>Hands on all that is written, to be read over the volume.</summary>
    public Overlay ToOverlay()
    {
        Overlay overlay = new(Sector, long.MaxValue);
        foreach ((long sector, byte[] bytes) in _sectors)
        {
            overlay.Write(sector * Sector, bytes);
            _sectors.Remove(sector);
        }

        return overlay;
    }
}
