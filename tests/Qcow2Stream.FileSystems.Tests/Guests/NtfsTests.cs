using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Files of NTFS whose runs of clusters say what no tool would write into a disk of this size.</summary>
public sealed class NtfsTests
{
    private const int RecordLength = 1024;
    private const long Tebibyte = 1L << 40;

    /// <summary>A tebibyte, of which the first clusters are stored.</summary>
    [Fact]
    public void HoleOfATebibyte_IsNotWalked()
    {
        (byte[] disk, string path, byte[] content) = Enlarge(Tebibyte, withHole: true);
        using Guest guest = Guest.Open(new MemoryStream(disk));
        using GuestMatch match = guest.Find(path);
        FileContent file = match.Entry.Content();
        Assert.Equal(Tebibyte, file.Length);
        byte[] buffer = new byte[FileContent.PieceLength];
        using MemoryStream stored = new();
        ContentPiece last = default;
        foreach (ContentPiece piece in file.Pieces(buffer, default))
        {
            last = piece;
            if (!piece.IsHole)
            {
                stored.Position = piece.Offset;
                stored.Write(buffer, 0, (int)piece.Length);
            }
        }

        stored.SetLength(content.Length);
        Assert.Equal(content, stored.ToArray());
        Assert.Equal((true, Tebibyte), (last.IsHole, last.Offset + last.Length));
    }

    [Fact]
    public void FileThatIsLongerThanItsRuns_IsDamaged()
    {
        (byte[] disk, string path, _) = Enlarge(Tebibyte, withHole: false);
        using Guest guest = Guest.Open(new MemoryStream(disk));
        using GuestMatch match = guest.Find(path);
        string message = Assert.Throws<GuestException>(() => match.Entry.CopyContentTo(Stream.Null)).Message;
        Assert.Matches($"^its runs of clusters end after [0-9]+ of {Tebibyte} bytes$", message);
    }

    /// <summary>Changes the size of a file with clusters of its own, and gives it a run that isn't stored.</summary>
    private static (byte[] Disk, string Path, byte[] Content) Enlarge(long size, bool withHole)
    {
        using Qcow2ChainStream stream = new(GuestImages.Disk("ntfs"));
        byte[] disk = new byte[stream.Length];
        stream.ReadExactly(disk);
        using Guest guest = Guest.Open(new MemoryStream(disk, writable: false));
        using GuestFileSystem files = guest.Volumes[0].OpenFileSystem();
        int clusterLength = BinaryPrimitives.ReadUInt16LittleEndian(disk.AsSpan(11)) * disk[13];
        foreach ((string path, GuestEntry entry) in files.Root.EnumerateTree().Where(below => below.Entry.Length > 8192 && !below.Path.StartsWith("/$", StringComparison.Ordinal)))
        {
            using MemoryStream content = new();
            entry.CopyContentTo(content);
            int[] records =
            [
                .. Enumerable.Range(0, disk.Length / RecordLength).Select(number => number * RecordLength)
                    .Where(place => FindData(disk.AsSpan(place, RecordLength), entry.Length).At is not null),
            ];
            if (records is [var record] && FindData(disk.AsSpan(record, RecordLength), entry.Length) is ({ } at, { } length))
            {
                Span<byte> data = disk.AsSpan(record + at);
                int runs = BinaryPrimitives.ReadUInt16LittleEndian(data[32..]);
                while (data[runs] != 0)
                {
                    runs += 1 + (data[runs] & 15) + (data[runs] >> 4);
                }

                if (withHole)
                {
                    // Five bytes of length, and no place; then the end of the runs, and of the record.
                    data[runs] = 5;
                    BinaryPrimitives.WriteInt64LittleEndian(data[(runs + 1)..], size / clusterLength);
                    BinaryPrimitives.WriteInt32LittleEndian(data[4..], length + 16);
                    BinaryPrimitives.WriteUInt32LittleEndian(data[(length + 16)..], 0xFFFFFFFF);
                    BinaryPrimitives.WriteInt32LittleEndian(disk.AsSpan(record + 24), at + length + 24);
                    BinaryPrimitives.WriteInt64LittleEndian(data[24..], (size / clusterLength) - 1);
                    BinaryPrimitives.WriteInt64LittleEndian(data[40..], size);
                }

                // Its directory has the size too, and its name.
                for (int place = 0; place < disk.Length; place += sizeof(long))
                {
                    if (BinaryPrimitives.ReadInt64LittleEndian(disk.AsSpan(place)) == entry.Length && place != record + at + 56)
                    {
                        BinaryPrimitives.WriteInt64LittleEndian(disk.AsSpan(place), size);
                    }
                }

                return (disk, path, content.ToArray());
            }
        }

        throw new InvalidOperationException("the disk has no file that suits");
    }

    /// <summary>The last attribute of a record, if it is the content of a file of that size, in clusters.</summary>
    private static (int? At, int? Length) FindData(ReadOnlySpan<byte> record, long size)
    {
        int at = record.StartsWith("FILE"u8) ? BinaryPrimitives.ReadUInt16LittleEndian(record[20..]) : RecordLength;
        while (at < RecordLength - 16 && BinaryPrimitives.ReadUInt32LittleEndian(record[at..]) is var type && type != 0xFFFFFFFF)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(record[(at + 4)..]);
            if (length < 16 || at + length > RecordLength - 4)
            {
                break;
            }

            bool isLast = BinaryPrimitives.ReadUInt32LittleEndian(record[(at + length)..]) == 0xFFFFFFFF;
            if (type == 0x80 && record[at + 8] == 1 && record[at + 12] == 0 && isLast && BinaryPrimitives.ReadInt64LittleEndian(record[(at + 48)..]) == size && at + length < 480)
            {
                return (at, length);
            }

            at += length;
        }

        return (null, null);
    }
}
