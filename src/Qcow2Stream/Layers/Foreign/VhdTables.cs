using System.Buffers.Binary;
using System.Numerics;
using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>The tables of a VHD: footer → dynamic header → block allocation table ("Virtual Hard Disk Image Format Specification").</summary>
internal static class VhdTables
{
    private const int FooterLength = 512;
    private const int FooterDataOffset = 16;
    private const int FooterChecksum = 64;
    private const int HeaderLength = 1024;
    private const int HeaderDataOffset = 8;
    private const int TableOffset = 16;
    private const int MaxTableEntries = 28;
    private const int BlockSize = 32;
    private const int ParentLocators = 576;
    private const int ParentLocatorLength = 24;
    private const int ParentLocatorCount = 8;
    private const long NoHeader = -1;

    // Two megabytes in all images that tools make. DiscUtils counts the bytes of a block in 32 bits with a sign.
    private const uint MaxBlockSize = 256 << 20;

    // A path, in UTF-16. Windows allows 32 767 characters.
    private const int MaxLocatorBytes = 64 << 10;

    // An entry as it is read, the same as a number, and a reference to the bitmap of the block.
    private const int BytesPerEntry = 16;

    // One, in any image: more than one is as good as a circle.
    private const int MaxHeaders = 16;

    /// <summary>The fields of a footer that decide which bytes the disk has. By the creator, QEMU takes the geometry's size or the other.</summary>
    private static readonly (int Offset, int Length, string Name)[] Decisive =
    [
        (FooterDataOffset, sizeof(ulong), "place of the dynamic header"),
        (28, sizeof(uint), "creator"),
        (48, sizeof(ulong), "size"),
        (56, sizeof(uint), "geometry"),
        (60, sizeof(uint), "type of the disk"),
    ];

    public static void Judge(HostFile file, TableMemory memory)
    {
        long known = NoHeader;
        JudgeCopy(file);
        Span<byte> footer = stackalloc byte[FooterLength];
        foreach (long place in (ReadOnlySpan<long>)[file.GetLength() - FooterLength, 0])
        {
            if (place < 0 || file.ReadAt(place, footer) < footer.Length || !footer.StartsWith("conectix"u8))
            {
                continue;
            }

            // The one in front is a copy.
            long header = BinaryPrimitives.ReadInt64BigEndian(footer[FooterDataOffset..]);
            if (header != known)
            {
                JudgeHeaders(file, memory, header);
                known = header;
            }
        }
    }

    /// <summary>The footer of a dynamic disk has a copy in front. QEMU goes by that, and others by the footer.</summary>
    private static void JudgeCopy(HostFile file)
    {
        Span<byte> footer = stackalloc byte[FooterLength];
        Span<byte> copy = stackalloc byte[FooterLength];
        long place = file.GetLength() - FooterLength;
        if (place <= 0 || file.ReadAt(place, footer) < FooterLength || file.ReadAt(0, copy) < FooterLength || !IsValid(footer) || !IsValid(copy))
        {
            return;
        }

        // What remains is about who wrote it last, and when.
        foreach ((int at, int length, string what) in Decisive)
        {
            if (!footer.Slice(at, length).SequenceEqual(copy.Slice(at, length)))
            {
                throw new Qcow2FormatException($"the footer and its copy in front have different values for the {what}", file.Path, hostOffset: at);
            }
        }
    }

    /// <summary>Whether it begins as it has to and has its sum: that of all other bytes, inverted.</summary>
    private static bool IsValid(ReadOnlySpan<byte> footer)
    {
        uint sum = 0;
        for (int i = 0; i < footer.Length; i++)
        {
            sum += i is >= FooterChecksum and < FooterChecksum + sizeof(uint) ? 0u : footer[i];
        }

        return footer.StartsWith("conectix"u8) && BinaryPrimitives.ReadUInt32BigEndian(footer[FooterChecksum..]) == ~sum;
    }

    private static void JudgeHeaders(HostFile file, TableMemory memory, long first)
    {
        byte[] header = new byte[HeaderLength];
        int count = 0;
        for (long place = first; place != NoHeader; place = BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(HeaderDataOffset)))
        {
            if (++count > MaxHeaders)
            {
                throw new Qcow2FormatException("the image is damaged: its headers lead in circles", file.Path, hostOffset: place);
            }

            if (place < 0 || place >= file.GetLength())
            {
                return;
            }

            int read = file.ReadAt(place, header);
            header.AsSpan(read).Clear();
            if (header.AsSpan().StartsWith("cxsparse"u8))
            {
                JudgeDynamicHeader(file, memory, header, place);
            }
        }
    }

    private static void JudgeDynamicHeader(HostFile file, TableMemory memory, ReadOnlySpan<byte> header, long place)
    {
        uint blockSize = BinaryPrimitives.ReadUInt32BigEndian(header[BlockSize..]);
        if (!BitOperations.IsPow2(blockSize) || blockSize is < Sector.Size or > MaxBlockSize)
        {
            throw new Qcow2FormatException(
                $"the block size is {blockSize}; it must be a power of two from {Sector.Size} to {MaxBlockSize}", file.Path, hostOffset: place + BlockSize);
        }

        long entries = BinaryPrimitives.ReadUInt32BigEndian(header[MaxTableEntries..]);
        memory.ChargeTable(
            BinaryPrimitives.ReadInt64BigEndian(header[TableOffset..]),
            entries * sizeof(uint),
            entries * BytesPerEntry,
            $"the block allocation table of {entries} entries",
            file,
            place + MaxTableEntries);
        for (int i = 0; i < ParentLocatorCount; i++)
        {
            int at = ParentLocators + (i * ParentLocatorLength);
            ReadOnlySpan<byte> locator = header.Slice(at, ParentLocatorLength);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(locator[8..]);
            bool isPath = locator.StartsWith("W2ku"u8) || locator.StartsWith("W2ru"u8);
            if (isPath && length > MaxLocatorBytes)
            {
                throw new Qcow2FormatException(
                    $"the path of the parent would take {length} bytes, more than {MaxLocatorBytes}", file.Path, hostOffset: place + at);
            }
        }
    }
}
