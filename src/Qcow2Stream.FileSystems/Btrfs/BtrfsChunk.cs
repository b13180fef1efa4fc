using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>
/// A piece of the address space, and the devices that hold it: from <see cref="Start"/> on up to, but without, <see cref="End"/> ("Chunk tree").
/// </summary>
internal sealed class BtrfsChunk
{
    /// <summary>What goes to one device before it is the next one's turn.</summary>
    public const int StripeLength = 64 << 10;

    private const ulong Contents = 0x7;
    private const ulong DataBit = 0x1;
    private const ulong SystemBit = 0x2;
    private const ulong MetadataBit = 0x4;

    // Addresses add up without running over.
    private const ulong Most = 1ul << 62;

    // Linux counts stripes in 32 bits.
    private const ulong MostBytes = (ulong)uint.MaxValue * StripeLength;

    // So many powers of two are different where the second sum of a row is computed.
    private const int MostColumnsOfTwoSums = 255;

    private readonly BtrfsProfile _profile;
    private readonly ulong _type;

    /// <summary>Reads it from an item of the tree of chunks, or from what begins with one.</summary>
    /// <exception cref="GuestException">It is damaged, or spread in a way that isn't known.</exception>
    public BtrfsChunk(BtrfsItem item, BtrfsSuperblock superblock)
    {
        ReadOnlySpan<byte> bytes = item.AtLeast(BtrfsLayout.Chunk.Stripes);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes[BtrfsLayout.Chunk.StripeCount..]);
        bytes = item.AtLeast(BtrfsLayout.Chunk.Stripes + (count * BtrfsLayout.Chunk.StripeItem));
        Start = item.Key.Offset;
        Length = BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Chunk.Length..]);
        _type = BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Chunk.Type..]);
        _profile = (BtrfsProfile)(_type & ~Contents);
        Stripes = new BtrfsStripe[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> stripe = bytes[(BtrfsLayout.Chunk.Stripes + (i * BtrfsLayout.Chunk.StripeItem))..];
            Stripes[i] = new BtrfsStripe(
                BinaryPrimitives.ReadUInt64LittleEndian(stripe[BtrfsLayout.Chunk.StripeDevice..]),
                BinaryPrimitives.ReadUInt128LittleEndian(stripe[BtrfsLayout.Chunk.StripeUuid..]),
                BinaryPrimitives.ReadUInt64LittleEndian(stripe[BtrfsLayout.Chunk.StripeOffset..]));
        }

        int sub = BinaryPrimitives.ReadUInt16LittleEndian(bytes[BtrfsLayout.Chunk.SubStripes..]);
        int sectorSize = superblock.SectorSize;
        if (!HasRightCount(count, sub) || !HasRightContent(superblock.HasMixedGroups) || Start > Most || Length is 0 or >= MostBytes
            || (Start | Length) % (ulong)sectorSize != 0
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[BtrfsLayout.Chunk.SectorSize..]) != sectorSize
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Chunk.StripeLength..]) != StripeLength
            || Stripes.Any(stripe => stripe.Offset > Most))
        {
            throw new GuestException($"its chunk at address {Start} is damaged");
        }

        if (_profile != BtrfsProfile.Dup && Stripes.DistinctBy(stripe => stripe.DeviceUuid).Count() < count)
        {
            throw new GuestException($"its chunk at address {Start} is damaged: a device has two of its stripes");
        }

        if (_profile == BtrfsProfile.Raid6 && Columns > MostColumnsOfTwoSums)
        {
            throw new GuestException($"its chunk at address {Start} is spread over {count} devices, more than RAID6 can have");
        }
    }

    public ulong Start { get; }

    public ulong Length { get; }

    public ulong End => Start + Length;

    public BtrfsStripe[] Stripes { get; }

    public bool HasData => (_type & DataBit) != 0;

    public bool HasParity => (_profile & BtrfsProfile.WithParity) != 0;

    /// <summary>How many ways there are to read a byte of it; where parity is, others than the first compute it.</summary>
    /// <remarks>Those from <see cref="Simple"/> on take one of its stripes after the other for wrong as well.</remarks>
    public int Copies => _profile switch
    {
        BtrfsProfile.Single or BtrfsProfile.Raid0 => 1,
        BtrfsProfile.Raid10 or BtrfsProfile.Raid5 => 2,

        BtrfsProfile.Raid6 => Simple + Stripes.Length,
        _ => Stripes.Length,
    };

    /// <summary>How many of the <see cref="Copies"/> take no other stripe for wrong than the one that is read.</summary>
    public int Simple => HasParity ? 2 : Copies;

    /// <summary>How many of the devices hold parts that follow each other.</summary>
    public int Columns => _profile switch
    {
        BtrfsProfile.Raid0 => Stripes.Length,
        BtrfsProfile.Raid10 => Stripes.Length / 2,
        BtrfsProfile.Raid5 => Stripes.Length - 1,
        BtrfsProfile.Raid6 => Stripes.Length - 2,
        _ => 1,
    };

    /// <summary>How many of the devices hold the sums of a row.</summary>
    public int Sums => HasParity ? Stripes.Length - Columns : 0;

    /// <summary>How many bytes of devices one of its bytes takes, as Linux counts: without <see cref="Sums"/>.</summary>
    public ulong Factor => HasParity ? 1 : (ulong)(Stripes.Length / Columns);

    /// <summary>How many devices a new one of its profile needs, and how many it takes at most.</summary>
    public (int Least, int Most) StripesWanted => _profile switch
    {
        BtrfsProfile.Single or BtrfsProfile.Dup => (1, 1),
        BtrfsProfile.Raid0 => (1, int.MaxValue),
        BtrfsProfile.Raid10 => (2, 4),
        BtrfsProfile.Raid5 => (2, int.MaxValue),
        BtrfsProfile.Raid6 => (3, int.MaxValue),
        _ => (Stripes.Length, Stripes.Length),
    };

    /// <summary>Finds where a byte is.</summary>
    /// <param name="address">Its address.</param>
    /// <param name="copy">Which copy of it.</param>
    /// <returns>Which stripe, the place on its device, and how many bytes follow it there.</returns>
    public (int Stripe, ulong Place, ulong Length) Locate(ulong address, int copy)
    {
        ulong offset = address - Start;
        if (Columns == 1 && !HasParity)
        {
            return (copy, Stripes[copy].Offset + offset, Length - offset);
        }

        (ulong row, int column, int inside) = RowOf(address);
        int stripe = HasParity ? SlotOf(row, column) : (column * (Stripes.Length / Columns)) + copy;
        return (stripe, Stripes[stripe].Offset + (row * StripeLength) + (ulong)inside, Math.Min((ulong)(StripeLength - inside), Length - offset));
    }

    /// <summary>The row of stripes that a byte is in, which of them, and where in it.</summary>
    public (ulong Row, int Column, int Inside) RowOf(ulong address)
    {
        (ulong number, ulong inside) = Math.DivRem(address - Start, (ulong)StripeLength);
        (ulong row, ulong column) = Math.DivRem(number, (ulong)Columns);
        return (row, (int)column, (int)inside);
    }

    /// <summary>The stripe that has a column of a row: with parity, they take turns. The columns after the last hold the sums.</summary>
    public int SlotOf(ulong row, int column) => (int)(((ulong)column + row) % (ulong)Stripes.Length);

    /// <summary>Data or trees, or where these are mixed both; what leads to all chunks is for itself.</summary>
    private bool HasRightContent(bool isMixed) => (_type & Contents) is DataBit or SystemBit or MetadataBit
        || ((_type & Contents) == (DataBit | MetadataBit) && isMixed);

    private bool HasRightCount(int count, int sub) => _profile switch
    {
        BtrfsProfile.Single => count == 1,
        BtrfsProfile.Raid0 => count >= 1,
        BtrfsProfile.Dup or BtrfsProfile.Raid1 => count == 2,
        BtrfsProfile.Raid1C3 => count == 3,
        BtrfsProfile.Raid1C4 => count == 4,
        BtrfsProfile.Raid10 => count >= 2 && count % 2 == 0 && sub == 2,
        BtrfsProfile.Raid5 => count >= 2,
        BtrfsProfile.Raid6 => count >= 3,
        _ => throw new GuestException($"its way of spreading over devices is not known (type 0x{_type:x})"),
    };
}
