using System.Buffers.Binary;
using System.Numerics;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>
/// The metadata of a VHDX ("[MS-VHDX]", section "Metadata Region"). All items that every image has are asked for, as in QEMU; DiscUtils goes on without
/// some, and takes the disk for empty.
/// </summary>
internal static class VhdxMetadata
{
    private const int TableLength = 64 << 10;
    private const int Count = 10;
    private const int Entries = 32;
    private const int EntryLength = 32;
    private const int MaxEntries = 2047;
    private const uint IsUserItem = 1;
    private const uint IsRequired = 4;
    private const uint HasParent = 2;
    private const int MiB = 1 << 20;
    private const int MaxItemLength = MiB;
    private const int MaxBlockSize = 256 * MiB;
    private const ulong MaxDiskSize = 64UL << 40;

    private static readonly Guid FileParameters = new("caa16737-fa36-4d43-b3b6-33f0aa44e76b");
    private static readonly Guid DiskSize = new("2fa54224-cd1b-4876-b211-5dbed83bf4b8");
    private static readonly Guid DiskId = new("beca12ab-b2e6-4523-93ef-c309e000c746");
    private static readonly Guid LogicalSectorSize = new("8141bf1d-a96f-4709-ba47-f233a8faab5f");
    private static readonly Guid PhysicalSectorSize = new("cda348c7-445d-4471-9cc9-e9885251c556");
    private static readonly Guid ParentLocator = new("a8d35f2d-b30b-454d-abf7-d3d84834ab0c");

    /// <summary>The items that every image has, with their names and lengths in bytes.</summary>
    private static readonly (Guid Id, string Name, int Length)[] Needed =
    [
        (FileParameters, "file parameters", 8),
        (DiskSize, "virtual disk size", 8),
        (DiskId, "virtual disk id", 16),
        (LogicalSectorSize, "logical sector size", 4),
        (PhysicalSectorSize, "physical sector size", 4),
    ];

    /// <summary>Judges the region.</summary>
    /// <param name="file">The image.</param>
    /// <param name="offset">Where it starts, in bytes.</param>
    /// <param name="length">Its length in bytes; it lies inside the file.</param>
    /// <exception cref="Qcow2FormatException">Something that every image has is missing, or isn't what it has to be.</exception>
    /// <exception cref="Qcow2UnsupportedException">An item that readers have to know isn't known.</exception>
    public static void Judge(HostFile file, long offset, long length)
    {
        byte[] table = new byte[TableLength];
        int read = file.ReadAt(offset, table.AsSpan(0, (int)Math.Min(table.Length, length)));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(table.AsSpan(Count));
        if (read < table.Length || !table.AsSpan().StartsWith("metadata"u8) || count > MaxEntries)
        {
            throw new Qcow2FormatException("the metadata table is missing, or is none", file.Path, hostOffset: offset);
        }

        Dictionary<Guid, (long Offset, int Length)> items = [];
        for (int i = 0; i < count; i++)
        {
            int at = Entries + (i * EntryLength);
            ReadItem(file, table.AsSpan(at, EntryLength), offset, length, offset + at, items);
        }

        if (items.TryGetValue(ParentLocator, out (long Offset, int Length) locator))
        {
            JudgeLocator(file, Read(file, locator.Offset, locator.Length), locator.Offset);
        }

        foreach ((Guid id, string name, int size) in Needed)
        {
            if (!items.TryGetValue(id, out (long Offset, int Length) item) || item.Length < size)
            {
                throw new Qcow2FormatException($"the metadata has no {name}", file.Path, hostOffset: offset);
            }
        }

        uint sector = JudgeSectors(file, items[LogicalSectorSize].Offset);
        JudgeDiskSize(file, items[DiskSize].Offset, sector);
        JudgeParameters(file, items[FileParameters].Offset, items.ContainsKey(ParentLocator));
    }

    private static void ReadItem(
        HostFile file, ReadOnlySpan<byte> entry, long region, long length, long place, Dictionary<Guid, (long Offset, int Length)> items)
    {
        Guid id = new(entry[..16]);
        uint itemOffset = BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]);
        uint itemLength = BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]);
        if (itemLength > MaxItemLength || itemOffset > length - itemLength)
        {
            throw new Qcow2FormatException(
                $"a metadata item of {itemLength} bytes at 0x{itemOffset:x} does not lie inside its region, or is longer than {MaxItemLength} bytes",
                file.Path,
                hostOffset: place);
        }

        // What a user gives an item that is called as one of the system's isn't that one.
        bool isKnown = (flags & IsUserItem) == 0 && (id == ParentLocator || Array.Exists(Needed, n => n.Id == id));
        if (!isKnown && (flags & IsRequired) != 0)
        {
            throw new Qcow2UnsupportedException(
                "metadata item in format vhdx", $"the image has a metadata item that readers have to know, and this one doesn't: {id}", file.Path, place);
        }

        if (isKnown && !items.TryAdd(id, (region + itemOffset, (int)itemLength)))
        {
            throw new Qcow2FormatException($"the metadata has an item twice: {id}", file.Path, hostOffset: place);
        }
    }

    private static uint JudgeSectors(HostFile file, long place)
    {
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(Read(file, place, sizeof(uint)));
        return size is 512 or 4096
            ? size
            : throw new Qcow2FormatException($"the logical sector size is {size}; it must be 512 or 4096", file.Path, hostOffset: place);
    }

    private static void JudgeDiskSize(HostFile file, long place, uint sector)
    {
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(Read(file, place, sizeof(ulong)));
        if (size is 0 or > MaxDiskSize || size % sector != 0)
        {
            throw new Qcow2FormatException(
                $"the virtual disk size is {size}; it must be a multiple of {sector} up to {MaxDiskSize}", file.Path, hostOffset: place);
        }
    }

    private static void JudgeParameters(HostFile file, long place, bool hasLocator)
    {
        byte[] value = Read(file, place, sizeof(ulong));
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(value);
        if (!BitOperations.IsPow2(size) || size is < MiB or > MaxBlockSize)
        {
            throw new Qcow2FormatException(
                $"the block size is {size}; it must be a power of two from {MiB} to {MaxBlockSize}", file.Path, hostOffset: place);
        }

        bool hasParent = (BinaryPrimitives.ReadUInt32LittleEndian(value.AsSpan(sizeof(uint))) & HasParent) != 0;
        if (hasParent && !hasLocator)
        {
            throw new Qcow2FormatException("the image has a parent, and its metadata has no parent locator", file.Path, hostOffset: place);
        }
    }

    /// <summary>Keys and values may share their bytes: a small locator can describe gigabytes of text.</summary>
    private static void JudgeLocator(HostFile file, ReadOnlySpan<byte> locator, long place)
    {
        const int LocatorEntries = 20;
        const int LocatorEntryLength = 12;
        int count = locator.Length < LocatorEntries ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(locator[18..]);
        long text = 0;
        for (int i = 0; i < count && LocatorEntries + ((i + 1) * LocatorEntryLength) <= locator.Length; i++)
        {
            ReadOnlySpan<byte> entry = locator.Slice(LocatorEntries + (i * LocatorEntryLength), LocatorEntryLength);
            text += BinaryPrimitives.ReadUInt16LittleEndian(entry[8..]) + BinaryPrimitives.ReadUInt16LittleEndian(entry[10..]);
        }

        if (text > MaxItemLength)
        {
            throw new Qcow2FormatException(
                $"the parent locator's keys and values have {text} bytes, more than {MaxItemLength}", file.Path, hostOffset: place);
        }
    }

    private static byte[] Read(HostFile file, long place, int length)
    {
        byte[] value = new byte[length];
        file.ReadAt(place, value);
        return value;
    }
}
