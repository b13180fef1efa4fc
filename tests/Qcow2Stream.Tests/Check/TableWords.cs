using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Check;

/// <summary>Where the tables of a healthy image are, read in the plainest way: what there is to be damaged.</summary>
internal sealed class TableWords
{
    private const ulong OffsetMask = 0x00FF_FFFF_FFFF_FE00;

    private readonly byte[] _image;

    public TableWords(byte[] image)
    {
        _image = image;
        ClusterSize = 1 << (int)image.ReadU32(HeaderField.ClusterBits);
        EntryWords = image.ReadU32(HeaderField.Version) > 2 && (image.ReadU64(HeaderField.IncompatibleFeatures) & 16) != 0 ? 2 : 1;
        AddL1((long)image.ReadU64(HeaderField.L1TableOffset), (int)image.ReadU32(HeaderField.L1Size));
        long snapshot = (long)image.ReadU64(HeaderField.SnapshotsOffset);
        for (uint i = 0; i < image.ReadU32(HeaderField.NbSnapshots); i++)
        {
            AddL1((long)image.ReadU64(snapshot), (int)image.ReadU32(snapshot + 8));
            Pointers.Add(snapshot);
            uint names = image.ReadU32(snapshot + 12);
            snapshot = (snapshot + 40 + image.ReadU32(snapshot + 36) + (names >> 16) + (names & 0xFFFF) + 7) & ~7;
        }

        AddBitmaps();
        long table = (long)image.ReadU64(HeaderField.RefcountTableOffset);
        for (int i = 0; i < ClusterSize / 8 && image.ReadU64(table + (i * 8)) is > 0 and ulong block; i++)
        {
            Pointers.Add(table + (i * 8));
            RefcountBlocks.Add((long)block);
        }
    }

    public int ClusterSize { get; }

    /// <summary>The 64-bit words of an L2 entry.</summary>
    public int EntryWords { get; }

    /// <summary>
    /// Used L1 entries, refcount table entries, the snapshots' pointers to their L1 tables, the bitmap directory and
    /// used entries of bitmap tables.
    /// </summary>
    public List<long> Pointers { get; } = [];

    /// <summary>Used L2 entries.</summary>
    public List<long> L2Entries { get; } = [];

    public List<long> RefcountBlocks { get; } = [];

    private void AddL1(long offset, int entries)
    {
        for (int i = 0; i < entries; i++)
        {
            if ((_image.ReadU64(offset + (i * 8)) & OffsetMask) is > 0 and ulong l2)
            {
                Pointers.Add(offset + (i * 8));
                for (long entry = (long)l2; entry < (long)l2 + ClusterSize && entry + 8 <= _image.Length; entry += 8 * EntryWords)
                {
                    if (_image.ReadU64(entry) != 0)
                    {
                        L2Entries.Add(entry);
                    }
                }
            }
        }
    }

    private void AddBitmaps()
    {
        int extension = _image.AsSpan(0, ClusterSize).IndexOf(new byte[4].WriteU32(0, HeaderExtension.Bitmaps));
        if (extension < 0)
        {
            return;
        }

        long entry = (long)_image.ReadU64(extension + 24);
        for (uint i = 0; i < _image.ReadU32(extension + 8); i++)
        {
            long table = (long)_image.ReadU64(entry);
            Pointers.AddRange(entry, entry + 8, entry + 16);
            for (uint j = 0; j < _image.ReadU32(entry + 8); j++)
            {
                Pointers.Add(table + (j * 8));
            }

            entry += (24 + (_image.ReadU32(entry + 16) & 0xFFFF) + 7) & ~7;
        }
    }
}
