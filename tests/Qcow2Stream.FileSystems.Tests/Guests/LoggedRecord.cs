using System.Buffers.Binary;
using System.Numerics;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Xfs;
using Qcow2Stream.FileSystems.Xfs.Log;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>A record in the log of an XFS file system, to be damaged: its operations, with their bytes as they are on the disk.</summary>
/// <param name="disk">The disk.</param>
/// <param name="log">Where the log starts, in bytes.</param>
/// <param name="blocks">How many blocks it has.</param>
/// <param name="place">The record's first block.</param>
internal sealed class LoggedRecord(PatchedDisk disk, long log, long blocks, long place)
{
    private const int Block = 512;
    private const int LengthField = 12;
    private const int SumField = 32;
    private const int SizeField = 320;
    private const int SummedLength = 328;
    private const int MoreSummedLength = 260;
    private const int Covered = 32 << 10;

    /// <summary>How long its operations are, in bytes.</summary>
    public int Length { get; } = (int)BinaryPrimitives.ReadUInt32BigEndian(disk.Read(log + (place * Block) + LengthField, sizeof(uint)));

    private int Headers { get; } =
        ((int)BinaryPrimitives.ReadUInt32BigEndian(disk.Read(log + (place * Block) + SizeField, sizeof(uint))) + Covered - 1) / Covered;

    public byte this[int at] => disk[OffsetOf(at)];

    /// <summary>Those that are to be replayed.</summary>
    public static List<LoggedRecord> All(PatchedDisk disk)
    {
        XfsVolume volume = new(new FileSystemSource(disk, [], GuestOptions.Default));
        XfsLogRing ring = new(volume);
        XfsLogEnds ends = XfsLogEnds.Find(ring);
        List<LoggedRecord> records = [];
        for (long done = 0; done < ends.Blocks;)
        {
            XfsLogRecord record = XfsLogRecord.At(ring, ends.Tail + done)!;
            records.Add(new LoggedRecord(disk, volume.OffsetOf(volume.LogStart), ring.Blocks, record.Place));
            done += record.Blocks;
        }

        return records;
    }

    public void Write(int at, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            disk[OffsetOf(at++)] = value;
        }
    }

    /// <summary>The first place of some bytes.</summary>
    public int Find(ReadOnlySpan<byte> bytes) => Read(0, Length).AsSpan().IndexOf(bytes);

    /// <summary>Gives it the checksum of what it has now.</summary>
    public void Seal()
    {
        byte[] header = Read(-Headers * Block, Headers * Block);
        header.AsSpan(SumField, sizeof(uint)).Clear();
        uint sum = Add(uint.MaxValue, header.AsSpan(0, SummedLength));
        for (int more = 1; more < Headers && more * Covered < Length; more++)
        {
            sum = Add(sum, header.AsSpan(more * Block, MoreSummedLength));
        }

        byte[] field = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(field, ~Add(sum, Read(0, Length)));
        Write(SumField - (Headers * Block), field);
    }

    private byte[] Read(int at, int length)
    {
        byte[] bytes = new byte[length];
        for (int done = 0; done < length;)
        {
            int count = Math.Min(length - done, Block - ((((at + done) % Block) + Block) % Block));
            disk.Read(OffsetOf(at + done), count).CopyTo(bytes, done);
            done += count;
        }

        return bytes;
    }

    private long OffsetOf(int at) => log + (((place * Block) + (Headers * Block) + at) % (blocks * Block));

    private static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            sum = BitOperations.Crc32C(sum, value);
        }

        return sum;
    }
}
