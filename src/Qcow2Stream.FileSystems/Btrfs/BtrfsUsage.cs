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
        UInt128 used = 0;
        UInt128 free = 0;
        BtrfsTree? groups = volume.Tree(BtrfsObject.BlockGroupTree) ?? volume.Tree(BtrfsObject.ExtentTree);
        foreach (BtrfsChunk chunk in volume.Space.Chunks)
        {
            ulong usedHere = Math.Min(UsedOf(groups, chunk), chunk.Length);
            used += usedHere * chunk.Factor;
            if (chunk.HasData)
            {
                data = chunk;
                free += chunk.Length - usedHere;
            }
        }

        ulong factor = data?.Factor ?? 1;
        return new FileSystemUsage(Bytes(used / factor), Bytes(free + (data is null ? 0 : RoomFor(data, volume) / factor)));
    }

    /// <summary>As much of a number as can be told.</summary>
    private static long Bytes(UInt128 count) => (long)UInt128.Min(count, long.MaxValue);

    private static ulong UsedOf(BtrfsTree? groups, BtrfsChunk chunk) =>
        groups?.Find(new BtrfsKey(chunk.Start, BtrfsType.BlockGroup, chunk.Length)) is { } group
            ? BinaryPrimitives.ReadUInt64LittleEndian(group.Exactly(BtrfsLayout.BlockGroup.Length)[BtrfsLayout.BlockGroup.Used..])
            : 0;

    /// <summary>What is left on the devices for chunks like one: the device with the least is filled up together with those that have a little more.</summary>
    private static UInt128 RoomFor(BtrfsChunk chunk, BtrfsVolume volume)
    {
        ulong[] left = [.. volume.ChunkTree.ItemsOf(BtrfsObject.Devices, BtrfsType.Device).Select(FreeOf).Where(free => free >= Least).OrderDescending()];
        (int least, int most) = chunk.StripesWanted;
        UInt128 room = 0;

        // What all that are left were filled with so far: a chunk that takes as many devices as there are fills them all.
        ulong taken = 0;
        for (int last = left.Length - 1; last + 1 >= least; last--)
        {
            ulong length = left[last] - taken;
            if (length < Least)
            {
                continue;
            }

            int count = Math.Min(most, last + 1);
            room += (UInt128)length * (ulong)Math.Max(0, count - chunk.Sums);
            if (count == last + 1)
            {
                taken += length;
                continue;
            }

            foreach (ref ulong free in left.AsSpan(last + 1 - count, count))
            {
                free -= length;
            }
        }

        return room;
    }

    private static ulong FreeOf(BtrfsItem device)
    {
        ReadOnlySpan<byte> bytes = device.Exactly(BtrfsLayout.Device.Length);
        ulong total = BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Device.TotalBytes..]);
        ulong used = BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Device.UsedBytes..]);
        ulong free = total > used ? total - used : 0;
        return free > Least ? (free - Least) / BtrfsChunk.StripeLength * BtrfsChunk.StripeLength : 0;
    }
}
