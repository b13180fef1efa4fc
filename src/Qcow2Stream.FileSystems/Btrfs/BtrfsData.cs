namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>
/// The bytes of extents. They have checksums, one a sector, in a tree of their own, unless the file has none; a sector whose checksum is wrong is read
/// from another copy ("Checksum tree"). Safe for several threads.
/// </summary>
internal sealed class BtrfsData(BtrfsVolume volume)
{
    private readonly Lazy<BtrfsTree?> _checksums = new(() => volume.Tree(BtrfsObject.ChecksumTree), LazyThreadSafetyMode.PublicationOnly);

    /// <summary>Fills a buffer.</summary>
    /// <param name="address">Where the bytes start, in the address space.</param>
    /// <param name="buffer">Receives them.</param>
    /// <param name="isChecked">Whether they have checksums.</param>
    /// <exception cref="GuestException">No copy of them is right.</exception>
    public void Read(ulong address, Span<byte> buffer, bool isChecked)
    {
        if (!isChecked)
        {
            volume.Space.Read(address, buffer);
            return;
        }

        int sectorSize = volume.Superblock.SectorSize;
        while (buffer.Length > 0)
        {
            int skipped = (int)(address % (ulong)sectorSize);
            int count = skipped == 0 ? buffer.Length & -sectorSize : 0;
            if (count > 0)
            {
                ReadSectors(address, buffer[..count]);
            }
            else
            {
                byte[] sector = new byte[sectorSize];
                ReadSectors(address - (ulong)skipped, sector);
                count = Math.Min(buffer.Length, sectorSize - skipped);
                sector.AsSpan(skipped, count).CopyTo(buffer);
            }

            address += (ulong)count;
            buffer = buffer[count..];
        }
    }

    private void ReadSectors(ulong address, Span<byte> buffer)
    {
        int sectorSize = volume.Superblock.SectorSize;
        byte[] sums = SumsOf(address, buffer.Length / sectorSize);
        bool isThere = volume.Space.TryRead(address, buffer);
        for (int at = 0; at < buffer.Length; at += sectorSize)
        {
            int place = at / sectorSize * volume.Checksum.Length;
            Span<byte> sector = buffer.Slice(at, sectorSize);
            if (!isThere || !volume.Checksum.IsRight(sector, sums.AsSpan(place)))
            {
                ulong wanted = address + (ulong)at;
                volume.Space.ReadRight(
                    wanted, sector, bytes => volume.Checksum.IsRight(bytes, sums.AsSpan(place)), $"its data is damaged: the checksum is wrong at address {wanted}");
            }
        }
    }

    /// <summary>The checksums of sectors that follow each other.</summary>
    private byte[] SumsOf(ulong address, int count)
    {
        int length = volume.Checksum.Length;
        byte[] sums = new byte[count * length];
        int done = 0;
        ulong sectorSize = (ulong)volume.Superblock.SectorSize;
        ulong end = address + ((ulong)count * sectorSize);
        foreach (BtrfsItem item in ItemsFrom(address, end))
        {
            ulong at = address + ((ulong)(done / length) * sectorSize);
            ulong start = item.Key.Offset;
            if (start > at || (at - start) % sectorSize != 0)
            {
                break;
            }

            ulong skipped = (at - start) / sectorSize * (ulong)length;
            if (skipped < (ulong)item.Data.Length)
            {
                ReadOnlySpan<byte> found = item.Data.Span[(int)skipped..];
                found = found[..Math.Min(sums.Length - done, found.Length - (found.Length % length))];
                found.CopyTo(sums.AsSpan(done));
                done += found.Length;
            }
        }

        return done == sums.Length
            ? sums
            : throw new GuestException($"its data has no checksum at address {address + ((ulong)(done / length) * sectorSize)}");
    }

    private IEnumerable<BtrfsItem> ItemsFrom(ulong address, ulong end)
    {
        if (_checksums.Value is not { } tree)
        {
            return [];
        }

        BtrfsKey wanted = new(BtrfsObject.Checksums, BtrfsType.Checksums, address);
        BtrfsKey first = tree.UpTo(wanted) is { Key: { Object: BtrfsObject.Checksums, Type: BtrfsType.Checksums } key } ? key : wanted;
        return tree.Range(first, wanted with { Offset = end - 1 });
    }
}
