using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>
/// A snapshot beside its origin: what changed of either since is in a store of chunks (drivers/md/dm-snap-persistent.c). Its first chunk is a header; then, again
/// and again, stand a chunk that lists exceptions and the chunks for these.
/// </summary>
internal sealed class SnapshotVolume : MappedVolume
{
    private const uint Magic = 0x70416E53;
    private const int ValidOffset = 4;
    private const int VersionOffset = 8;
    private const int ChunkOffset = 12;
    private const int HeaderLength = 16;
    private const int ExceptionLength = 16;
    private const uint Version = 1;

    private readonly IBlockSource _origin;
    private readonly IBlockSource _store;
    private readonly int _chunk;

    // By the chunk of the origin.
    private readonly long[] _exceptions;
    private readonly long[] _places;

    private SnapshotVolume(IBlockSource origin, IBlockSource store, int chunk, ref int mostExceptions)
        : base(origin.Length)
    {
        (_origin, _store, _chunk) = (origin, store, chunk);
        (List<long> exceptions, List<long> places) = ReadExceptions(ref mostExceptions);
        (_exceptions, _places) = ([.. exceptions], [.. places]);
        Array.Sort(_exceptions, _places);
    }

    /// <param name="origin">The volume that it is a snapshot of, as it is now.</param>
    /// <param name="store">What the snapshot has.</param>
    /// <param name="chunkSectors">How many sectors a chunk has.</param>
    /// <param name="mostExceptions">How many exceptions may be kept, of this and all further snapshots.</param>
    /// <exception cref="GuestException">It is damaged, or has overflowed.</exception>
    public static SnapshotVolume Open(IBlockSource origin, IBlockSource store, long chunkSectors, ref int mostExceptions)
    {
        byte[] header = new byte[HeaderLength];
        store.ReadExactly(0, header);
        uint own = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(ChunkOffset));
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(VersionOffset));
        return BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic ? throw new GuestException("the snapshot's store is damaged")
            : version != Version ? throw new GuestException($"the snapshot's store is of version {version}, which is not handled")
            : BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(ValidOffset)) == 0 ? throw new GuestException("the snapshot is invalid: it was full when its origin changed")
            : own != chunkSectors || own is 0 or > 1 << 20 ? throw new GuestException($"the snapshot's store has chunks of {own} sectors, its metadata says {chunkSectors}")
            : new SnapshotVolume(origin, store, (int)own * LvmLayout.Sector, ref mostExceptions);
    }

    protected override Placement Locate(long offset)
    {
        (long chunk, long inChunk) = Math.DivRem(offset, _chunk);
        int found = Array.BinarySearch(_exceptions, chunk);
        return found >= 0
            ? new Placement(_store, (_places[found] * _chunk) + inChunk, _chunk - inChunk)
            : new Placement(_origin, offset, _chunk - inChunk);
    }

    private (List<long> Exceptions, List<long> Places) ReadExceptions(ref int mostExceptions)
    {
        (List<long> exceptions, List<long> places) = ([], []);
        byte[] list = new byte[_chunk];
        int perList = _chunk / ExceptionLength;
        for (long area = 0; ; area++)
        {
            long place = (1 + (area * (perList + 1L))) * _chunk;
            if (place > _store.Length - _chunk)
            {
                return (exceptions, places);
            }

            _store.ReadExactly(place, list);
            for (int at = 0; at < list.Length; at += ExceptionLength)
            {
                long chunk = BinaryPrimitives.ReadInt64LittleEndian(list.AsSpan(at));
                long stored = BinaryPrimitives.ReadInt64LittleEndian(list.AsSpan(at + sizeof(long)));
                if (stored == 0)
                {
                    return (exceptions, places);
                }

                if (stored < 0 || stored >= _store.Length / _chunk || chunk < 0)
                {
                    throw new GuestException($"the snapshot's store is damaged: chunk {chunk} is in its chunk {stored}");
                }

                if (--mostExceptions < 0)
                {
                    throw new GuestException("the snapshots of its group have more exceptions than are kept in memory");
                }

                exceptions.Add(chunk);
                places.Add(stored);
            }
        }
    }
}
