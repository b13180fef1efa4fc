using System.Buffers.Binary;
using System.Text;
using Qcow2Stream.FileSystems.Partitions;

namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>A physical volume: which one it is, and what its metadata areas say of its volume group.</summary>
internal sealed class PhysicalVolume
{
    private const int MaxAreas = 16;
    private const int MaxTextLength = 16 << 20;

    private readonly List<(long Start, long Size)> _metadata = [];

    private PhysicalVolume(GuestVolume volume, ReadOnlySpan<byte> header)
    {
        Volume = volume;
        Uuid = Encoding.ASCII.GetString(header.Slice(LvmLayout.Header.Uuid, LvmLayout.Header.UuidLength));
        bool isMetadata = false;
        for (int at = LvmLayout.Header.Areas; at + LvmLayout.Header.AreaLength <= header.Length && _metadata.Count < MaxAreas; at += LvmLayout.Header.AreaLength)
        {
            long start = BinaryPrimitives.ReadInt64LittleEndian(header[at..]);
            if (start == 0 && isMetadata)
            {
                break;
            }

            if (start == 0)
            {
                isMetadata = true;
            }
            else if (isMetadata)
            {
                _metadata.Add((start, BinaryPrimitives.ReadInt64LittleEndian(header[(at + LvmLayout.Header.AreaSize)..])));
            }
        }
    }

    public GuestVolume Volume { get; }

    /// <summary>Its UUID, without the dashes that texts have in it.</summary>
    public string Uuid { get; }

    /// <summary>Reads the label.</summary>
    /// <exception cref="GuestException">It is damaged.</exception>
    public static PhysicalVolume Read(GuestVolume volume)
    {
        byte[] sectors = new byte[Math.Min(LvmLayout.LabelSectors * LvmLayout.Sector, volume.Source.Length)];
        volume.Source.ReadExactly(0, sectors);
        for (int start = 0; start + LvmLayout.Sector <= sectors.Length; start += LvmLayout.Sector)
        {
            ReadOnlySpan<byte> label = sectors.AsSpan(start, LvmLayout.Sector);
            uint header = BinaryPrimitives.ReadUInt32LittleEndian(label[LvmLayout.Label.HeaderOffset..]);
            if (label[LvmLayout.Label.Id..].StartsWith(LvmLayout.Label.IdValue) && label[LvmLayout.Label.Kind..].StartsWith(LvmLayout.Label.KindValue)
                && BinaryPrimitives.ReadUInt64LittleEndian(label[LvmLayout.Label.SectorNumber..]) == (ulong)(start / LvmLayout.Sector)
                && BinaryPrimitives.ReadUInt32LittleEndian(label[LvmLayout.Label.Checksum..]) == Crc32.Continue(LvmLayout.ChecksumSeed, label[LvmLayout.Label.Checked..])
                && header <= LvmLayout.Sector - LvmLayout.Header.Areas)
            {
                return new PhysicalVolume(volume, label[(int)header..]);
            }
        }

        throw new GuestException("the label of the physical volume is damaged");
    }

    /// <summary>What each of its metadata areas says of the volume group; none if it has no areas, or isn't part of a group.</summary>
    /// <param name="fault">What is wrong with an area; null if nothing is.</param>
    public List<MetadataNode> ReadTexts(out string? fault)
    {
        List<MetadataNode> texts = [];
        fault = null;
        foreach ((long start, long size) in _metadata)
        {
            try
            {
                if (ReadText(start, size) is { } text)
                {
                    texts.Add(MetadataText.Parse(text));
                }
            }
            catch (IOException e)
            {
                fault = $"its metadata area at {start} can't be read: {e.Message}";
            }
        }

        return texts;
    }

    /// <summary>The text that is valid; null if the area holds none.</summary>
    private byte[]? ReadText(long start, long areaSize)
    {
        byte[] header = new byte[LvmLayout.Area.Length];
        Volume.Source.ReadExactly(start, header);
        if (!header.AsSpan(LvmLayout.Area.Magic).StartsWith(LvmLayout.Area.MagicValue)
            || BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(LvmLayout.Area.Checksum)) != Crc32.Continue(LvmLayout.ChecksumSeed, header.AsSpan(LvmLayout.Area.Magic)))
        {
            throw new GuestException("its header is damaged");
        }

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(LvmLayout.Area.Version));
        long size = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(LvmLayout.Area.Size));
        ReadOnlySpan<byte> place = header.AsSpan(LvmLayout.Area.Texts);
        long offset = BinaryPrimitives.ReadInt64LittleEndian(place);
        long length = BinaryPrimitives.ReadInt64LittleEndian(place[LvmLayout.Area.TextSize..]);
        if (version != LvmLayout.Area.VersionValue)
        {
            throw new GuestException($"it is of version {version}, which is not known");
        }

        if (offset == 0 || (BinaryPrimitives.ReadUInt32LittleEndian(place[LvmLayout.Area.TextFlags..]) & LvmLayout.Area.TextIsIgnored) != 0)
        {
            return null;
        }

        // The texts go round in the area, behind its header.
        if (size <= LvmLayout.Area.Length || (areaSize != 0 && size > areaSize) || offset < LvmLayout.Area.Length || offset >= size
            || length <= 0 || length > Math.Min(size - LvmLayout.Area.Length, MaxTextLength))
        {
            throw new GuestException($"its text has {length} bytes at {offset}, in an area of {size}");
        }

        byte[] text = new byte[length];
        int first = (int)Math.Min(length, size - offset);
        Volume.Source.ReadExactly(start + offset, text.AsSpan(0, first));
        Volume.Source.ReadExactly(start + LvmLayout.Area.Length, text.AsSpan(first));
        return BinaryPrimitives.ReadUInt32LittleEndian(place[LvmLayout.Area.TextChecksum..]) == Crc32.Continue(LvmLayout.ChecksumSeed, text)
            ? text
            : throw new GuestException("the checksum of its text is wrong");
    }
}
