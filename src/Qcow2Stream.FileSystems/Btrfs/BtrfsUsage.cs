using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>
/// How full a file system is, as Linux estimates it: free is what is free in chunks of data, and what more of these the devices have room for. The reserve that
/// Linux counts as used is not.
/// </summary>
internal static class BtrfsUsage
{
    // At the start of a device nothing is allocated, and nothing that is shorter anywhere.
    private const ulong Least = 1 << 20;

    public static FileSystemUsage Of(BtrfsVolume volume)
    {
        BtrfsChunk? data = null;
        ulong used = 0;
        ulong free = 0;
        foreach (BtrfsChunk chunk in volume.Space.Chunks)
        {
            ulong usedHere = Math.Min(UsedOf(volume, chunk), chunk.Length);
            used += usedHere * chunk.Factor;
            if (chunk.HasData)
            {
                data = chunk;
                free += chunk.Length - usedHere;
            }
        }

        ulong factor = data?.Factor ?? 1;
        return new FileSystemUsage((long)(used / factor), (long)(free + (data is null ? 0 : RoomFor(data, volume) / factor)));
    }

    private static ulong UsedOf(BtrfsVolume volume, BtrfsChunk chunk)
    {
        BtrfsTree? groups = volume.Tree(BtrfsObject.BlockGroupTree) ?? volume.Tree(BtrfsObject.ExtentTree);
        return groups?.Find(new BtrfsKey(chunk.Start, BtrfsType.BlockGroup, chunk.Length)) is { } group
            ? BinaryPrimitives.ReadUInt64LittleEndian(group.AtLeast(BtrfsLayout.BlockGroup.Length)[BtrfsLayout.BlockGroup.Used..])
            : 0;
    }

    /// <summary>What is left on the devices for chunks like one: the device with the least is filled up together with those that have a little more.</summary>
    private static ulong RoomFor(BtrfsChunk chunk, BtrfsVolume volume)
    {
        ulong[] left = [.. volume.ChunkTree.ItemsOf(BtrfsObject.Devices, BtrfsType.Device).Select(FreeOf).Where(free => free >= Least).OrderDescending()];
        (int least, int most) = chunk.StripesWanted;
        ulong room = 0;
        for (int last = left.Length - 1; last + 1 >= least; last--)
        {
            ulong length = left[last];
            Span<ulong> filled = left.AsSpan(0, last + 1)[^Math.Min(most, last + 1)..];
            room += length >= Least && filled.Length > chunk.Sums ? length * (ulong)(filled.Length - chunk.Sums) : 0;
            foreach (ref ulong free in filled)
            {
                free -= length >= Least ? length : 0;
            }
        }

        return room;
    }

    private static ulong FreeOf(BtrfsItem device)
    {
        ReadOnlySpan<byte> bytes = device.AtLeast(BtrfsLayout.Device.Length);
        ulong total = BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Device.TotalBytes..]);
        ulong used = BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Device.UsedBytes..]);
        ulong free = total > used ? total - used : 0;
        return free > Least ? (free - Least) / BtrfsChunk.StripeLength * BtrfsChunk.StripeLength : 0;
    }
}
