namespace Qcow2Stream.Fuzz.Checks;

/// <summary>Maps and reads a disk within bounds, and holds all that comes out against each other.</summary>
/// <param name="chain">The disk.</param>
/// <param name="hostBytes">The bytes of the file that holds a layer's clusters; null if they are not known.</param>
internal sealed class DiskWalk(Qcow2Chain chain, Func<int, ReadOnlyMemory<byte>?> hostBytes)
{
    private const int MostExtents = 2048;

    // Disks up to here are read as a whole, of others the ends of the first extents.
    private const long WholeDisk = 256 << 10;
    private const int MostPiece = 64 << 10;
    private const int EndPiece = 4096;

    // A read of a part of a compressed cluster takes memory for the whole of it.
    private const int MostClusterBytes = 6 << 20;

    private readonly List<MapExtent> _extents = [];
    private readonly ReadTrial _trial = new(chain);
    private readonly int _compressedPiece = Math.Clamp(chain.Inner.LargestCluster, 512, MostPiece);
    private int _readsLeft = Math.Clamp(MostClusterBytes / Math.Max(1, chain.Inner.LargestCluster), 3, 512);

    public void Run()
    {
        bool isWhole = Map();
        if (chain.Length <= WholeDisk)
        {
            foreach (MapExtent extent in _extents)
            {
                Read(extent, extent.Start, extent.End);
            }

            // What lies after the error that ended the map is read nevertheless.
            long mapped = _extents.Count == 0 ? 0 : _extents[^1].End;
            Read(null, isWhole ? chain.Length : mapped, chain.Length);
            return;
        }

        foreach (MapExtent extent in _extents)
        {
            Read(extent, extent.Start, Math.Min(extent.End, extent.Start + EndPiece));
            Read(extent, Math.Max(extent.Start, extent.End - EndPiece), extent.End);
        }

        Read(null, chain.Length - 512, chain.Length);
    }

    /// <returns>Whether the map came to its end.</returns>
    private bool Map()
    {
        long position = 0;
        try
        {
            foreach (MapExtent extent in chain.Map())
            {
                MapRules.Check(extent, position, chain);
                if (_extents.Count > 0)
                {
                    MapRules.CheckNeighbours(_extents[^1], extent, chain);
                }

                position = extent.End;
                _extents.Add(extent);
                if (_extents.Count == MostExtents)
                {
                    return false;
                }
            }
        }
        catch (Qcow2Exception)
        {
            return false;
        }

        return position == chain.Length
            ? true
            : throw new BrokenInvariantException($"the map ends at {position}, the disk at {chain.Length}");
    }

    private void Read(MapExtent? extent, long start, long end)
    {
        // Several compressed clusters in one read are decompressed by several threads, which AFL would count as news.
        bool mayBeCompressed = extent is null or { Kind: MapKind.Compressed };
        int limit = mayBeCompressed ? _compressedPiece : MostPiece;
        for (long position = start; position < end && _readsLeft > 0; _readsLeft--)
        {
            long next = Math.Min(end, (position / limit * limit) + limit);
            bool isPart = next - position != limit || limit < chain.Inner.LargestCluster;
            if (_trial.TryRead(position, (int)(next - position), mayDiffer: mayBeCompressed && isPart))
            {
                CheckContent(extent, position, _trial.Bytes);
            }

            position = next;
        }
    }

    private void CheckContent(MapExtent? known, long position, ReadOnlySpan<byte> bytes)
    {
        if (known is not { } extent)
        {
            return;
        }

        if (extent.IsZero && bytes.ContainsAnyExcept((byte)0))
        {
            throw new BrokenInvariantException($"{extent} is not zero at {position}");
        }

        if (extent is { Kind: MapKind.Data, IsEncrypted: false, HostOffset: { } host } && hostBytes(extent.Depth) is { } file)
        {
            // The tail of a cluster that the file does not have is zeros.
            long at = Math.Min(host + (position - extent.Start), file.Length);
            ReadOnlySpan<byte> stored = file.Span[(int)at..(int)Math.Min(file.Length, at + bytes.Length)];
            if (!bytes[..stored.Length].SequenceEqual(stored) || bytes[stored.Length..].ContainsAnyExcept((byte)0))
            {
                throw new BrokenInvariantException($"{extent} does not read at {position} as the file does at {at}");
            }
        }
    }
}
