using Qcow2Stream.Tests.Infrastructure;
using Qcow1Image = Qcow2Stream.Tests.Layers.Qcow1Image;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>The fields of a healthy image's metadata, and the offsets that they hold, read in the plainest way.</summary>
internal sealed class ImageFields
{
    private const ulong OffsetMask = 0x00FF_FFFF_FFFF_FE00;
    private const ulong CompressedFlag = 1UL << 62;

    // Of a table, the entries in use and this many after each: few tests meet damage there.
    private const int UnusedEntries = 2;
    private const int CompressedBytes = 16;
    private const int LuksHeaderLength = 592;

    private readonly byte[] _image;
    private readonly int _clusterSize;
    private readonly int _entryWords;
    private readonly List<ImageField> _fields = [];
    private readonly SortedSet<long> _tables = [0];

    public ImageFields(DamageSubject subject)
    {
        _image = subject.Image;
        if (subject.Format == ImageFormat.Qcow1)
        {
            _clusterSize = 1 << Qcow1Image.ClusterBits;
            _entryWords = 1;
            AddQcow1();
        }
        else
        {
            bool isVersion3 = _image.ReadU32(HeaderField.Version) > 2;
            _clusterSize = 1 << (int)_image.ReadU32(HeaderField.ClusterBits);
            _entryWords = isVersion3 && (_image.ReadU64(HeaderField.IncompatibleFeatures) & 16) != 0 ? 2 : 1;
            AddHeader(isVersion3);
            AddL1((long)_image.ReadU64(HeaderField.L1TableOffset), (int)_image.ReadU32(HeaderField.L1Size));
            AddSnapshots();
            AddRefcounts();
        }

        ByKind = [.. _fields.GroupBy(f => f.Kind).Select(g => g.Distinct().ToArray())];
        Tables = [.. _tables];
    }

    public IReadOnlyList<ImageField[]> ByKind { get; }

    /// <summary>Where tables and clusters start.</summary>
    public IReadOnlyList<long> Tables { get; }

    public int ClusterSize => _clusterSize;

    private void AddHeader(bool isVersion3)
    {
        Add("header", 0, 4, 4, 8, 4, 4, 8, 4, 4, 8, 8, 4, 4, 8);
        int extension = 72;
        if (isVersion3)
        {
            Add("header", 72, 8, 8, 8, 4, 4);
            extension = (int)_image.ReadU32(HeaderField.HeaderLength);
            for (int place = 104; place < extension; place++)
            {
                Add("header", place, 1);
            }
        }

        while (true)
        {
            uint type = _image.ReadU32(extension);
            int length = (int)_image.ReadU32(extension + 4);
            Add("extension", extension, 4, 4);
            for (int place = 0; place < length; place += 8)
            {
                Add("extension", extension + 8 + place, 8);
            }

            switch (type)
            {
                case 0:
                    return;
                case HeaderExtension.Bitmaps:
                    AddBitmaps((long)_image.ReadU64(extension + 24), (int)_image.ReadU32(extension + 8));
                    break;
                case HeaderExtension.FullDiskEncryption:
                    AddLuks((long)_image.ReadU64(extension + 8));
                    break;
            }

            extension += 8 + ((length + 7) & ~7);
        }
    }

    private void AddL1(long offset, int entries)
    {
        _tables.Add(offset);
        for (int i = 0; i < entries; i++)
        {
            Add("L1", offset + (i * 8), 8);
            long l2 = (long)(_image.ReadU64(offset + (i * 8)) & OffsetMask);
            if (l2 != 0 && _tables.Add(l2))
            {
                AddL2(l2);
            }
        }
    }

    private void AddL2(long table)
    {
        int entryBytes = 8 * _entryWords;
        int unused = UnusedEntries;
        for (long entry = table; entry < table + _clusterSize; entry += entryBytes)
        {
            ulong value = _image.ReadU64(entry);
            bool isUsed = value != 0 || (_entryWords == 2 && _image.ReadU64(entry + 8) != 0);
            unused = isUsed ? UnusedEntries : unused - 1;
            if (unused < 0)
            {
                continue;
            }

            Add("L2", entry, 8);
            if (_entryWords == 2)
            {
                Add("subclusters", entry + 8, 8);
            }

            if ((value & CompressedFlag) != 0)
            {
                AddCompressed((long)(value & ((1UL << (62 - (int)Math.Log2(_clusterSize) + 8)) - 1)));
            }
            else if ((value & OffsetMask) != 0)
            {
                _tables.Add((long)(value & OffsetMask));
            }
        }
    }

    private void AddCompressed(long start)
    {
        for (long place = start; place < Math.Min(start + CompressedBytes, _image.Length); place++)
        {
            Add("compressed", place, 1);
        }
    }

    private void AddSnapshots()
    {
        long entry = (long)_image.ReadU64(HeaderField.SnapshotsOffset);
        _tables.Add(entry);
        for (uint i = 0; i < _image.ReadU32(HeaderField.NbSnapshots); i++)
        {
            AddL1((long)_image.ReadU64(entry), (int)_image.ReadU32(entry + 8));
            Add("snapshot", entry, 8, 4, 2, 2, 4, 4, 8, 4, 4, 8, 8, 8);
            uint names = _image.ReadU32(entry + 12);
            entry = (entry + 40 + _image.ReadU32(entry + 36) + (names >> 16) + (names & 0xFFFF) + 7) & ~7;
        }
    }

    private void AddBitmaps(long entry, int count)
    {
        _tables.Add(entry);
        for (int i = 0; i < count; i++)
        {
            Add("bitmap", entry, 8, 4, 4, 1, 1, 2, 4);
            long table = (long)_image.ReadU64(entry);
            _tables.Add(table);
            for (uint j = 0; j < _image.ReadU32(entry + 8); j++)
            {
                Add("bitmap table", table + (j * 8), 8);
            }

            entry += (24 + (_image.ReadU32(entry + 16) & 0xFFFF) + 7) & ~7;
        }
    }

    private void AddRefcounts()
    {
        long table = (long)_image.ReadU64(HeaderField.RefcountTableOffset);
        _tables.Add(table);
        for (long entry = table; _image.ReadU64(entry) is > 0 and ulong block; entry += 8)
        {
            Add("refcount", entry, 8, 8);
            _tables.Add((long)block);
            for (int i = 0; i < 48; i += 2)
            {
                Add("refcount", (long)block + i, 2);
            }
        }
    }

    private void AddLuks(long start)
    {
        _tables.Add(start);
        Add("LUKS", start, 4, 2, 2);
        for (int place = 8; place < LuksHeaderLength; place += 4)
        {
            Add("LUKS", start + place, 4);
        }
    }

    private void AddQcow1()
    {
        Add("header", 0, 4, 4, 8, 4, 4, 8, 1, 1, 2, 4, 8);
        long l1 = (long)_image.ReadU64(Qcow1Image.L1OffsetField);
        _tables.Add(l1);
        for (int i = 0; i < 3; i++)
        {
            Add("L1", l1 + (i * 8), 8);
            long table = (long)_image.ReadU64(l1 + (i * 8));
            for (int j = 0; table != 0 && j < 1 << Qcow1Image.L2Bits; j++)
            {
                _tables.Add(table);
                Add("L2", table + (j * 8), 8);
                ulong entry = _image.ReadU64(table + (j * 8));
                if (entry >> 63 != 0)
                {
                    AddCompressed((long)(entry & ((1UL << (63 - Qcow1Image.ClusterBits)) - 1)));
                }
            }
        }
    }

    /// <summary>Adds fields of these widths, one after the other; what lies past the end of the file isn't one.</summary>
    private void Add(string kind, long offset, params ReadOnlySpan<int> widths)
    {
        foreach (int width in widths)
        {
            if (offset + width <= _image.Length)
            {
                _fields.Add(new ImageField(kind, offset, width));
            }

            offset += width;
        }
    }
}
