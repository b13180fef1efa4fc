using System.Text.Json;
using System.Text.Unicode;

namespace Qcow2Stream.Crypto.Luks;

/// <summary>
/// Reads the JSON metadata of a LUKS2 volume (LUKS2 On-Disk Format Specification, section 3), and refuses by name what isn't handled here:
/// requirements, a reencryption under way, integrity, other segments than encrypted ones, and headers of data elsewhere.
/// </summary>
internal static class Luks2HeaderParser
{
    // cryptsetup's limit, for digests and segments too.
    private const int MostKeySlots = 32;

    // cryptsetup's parser has the same.
    private const int MostDepth = 32;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MostDepth, AllowDuplicateProperties = false };

    /// <summary>Reads a header whose checksum is right.</summary>
    /// <param name="header">The binary header.</param>
    /// <param name="area">The JSON area.</param>
    /// <param name="availableLength">The length of the volume with its header, in bytes.</param>
    /// <exception cref="CryptoFormatException">The metadata are broken.</exception>
    /// <exception cref="CryptoUnsupportedException">They ask for something that isn't handled here.</exception>
    public static LuksVolumeHeader Parse(Luks2BinaryHeader header, ReadOnlyMemory<byte> area, long availableLength)
    {
        int end = area.Span.IndexOf((byte)0);
        if (end < 0 || area.Span[end..].ContainsAnyExcept((byte)0))
        {
            throw new CryptoFormatException("the JSON area does not end with zeros");
        }

        if (!Utf8.IsValid(area.Span[..end]))
        {
            throw new CryptoFormatException("the JSON area is not UTF-8");
        }

        try
        {
            using var document = JsonDocument.Parse(area[..end], Strict);
            return Parse(header, new Luks2Node(document.RootElement, ""), availableLength);
        }
        catch (JsonException e)
        {
            throw new CryptoFormatException($"the JSON area is not JSON: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // Where a string is looked at, and not before.
            throw new CryptoFormatException("the JSON area has an escape in it that is half a character");
        }
    }

    private static LuksVolumeHeader Parse(Luks2BinaryHeader header, Luks2Node root, long availableLength)
    {
        Luks2Node config = root["config"];
        CheckRequirements(config);
        Luks2Node jsonSize = config["json_size"];
        if (jsonSize.LongNumber != (ulong)(header.Size - Luks2Layout.Length))
        {
            throw jsonSize.Wrong($"{header.Size - Luks2Layout.Length}, the length of the JSON area");
        }

        SortedDictionary<int, Luks2Node> segments = root["segments"].Members(MostKeySlots);
        if (segments.Count != 1)
        {
            throw segments.Count == 0
                ? new CryptoFormatException("segments is empty")
                : new CryptoUnsupportedException(
                    "LUKS2 reencryption", $"the volume has {segments.Count} segments, as while it is reencrypted; volumes of one segment are handled");
        }

        (int index, Luks2Node segment) = segments.First();
        long offset = ReadOffset(segment, header.Size, availableLength);
        Luks2KeySlots slots = new(root, index, MostKeySlots, new Luks2KeySlotParser(2L * header.Size, offset));
        return new LuksVolumeHeader
        {
            Version = 2,
            Uuid = header.Uuid,
            Label = header.Label,
            Segment = slots.KeyLength is { } keyLength ? ReadSegment(segment, offset, keyLength) : null,
            Slots = slots.Openings,
            Unhandled = slots.Unhandled,
        };
    }

    /// <summary>Whoever doesn't know a requirement must not touch the volume; all that there are change where and how the data is.</summary>
    private static void CheckRequirements(Luks2Node config)
    {
        if (config.TryGet("requirements", out Luks2Node? requirements)
            && requirements.Value.TryGet("mandatory", out Luks2Node? mandatory)
            && mandatory.Value.Texts.FirstOrDefault() is { } requirement)
        {
            throw new CryptoUnsupportedException($"LUKS2 requirement {requirement}", $"the volume requires {requirement}, which is not handled");
        }
    }

    private static long ReadOffset(Luks2Node segment, int headerSize, long availableLength)
    {
        string type = segment["type"].Text;
        if (type != "crypt")
        {
            throw new CryptoUnsupportedException($"LUKS2 segment type {type}", $"{segment.Path}.type is {type}; crypt is handled");
        }

        if (segment.TryGet("integrity", out Luks2Node? integrity))
        {
            string kind = integrity.Value["type"].Text;
            throw new CryptoUnsupportedException($"integrity {kind}", $"the volume has integrity protection ({kind}), which is not handled");
        }

        Luks2Node node = segment["offset"];
        ulong offset = node.LongNumber;
        if (offset == 0)
        {
            throw new CryptoUnsupportedException("detached LUKS header", "the header is a detached one: its data is elsewhere");
        }

        return offset % SectorDecryptor.Unit == 0 && offset >= 2 * (ulong)headerSize && offset <= (ulong)availableLength
            ? (long)offset
            : throw node.Wrong(
                $"a multiple of {SectorDecryptor.Unit} that lies between the two headers of {headerSize} bytes and the end of the file, byte {availableLength}");
    }

    private static LuksSegment ReadSegment(Luks2Node segment, long offset, uint keyLength)
    {
        Luks2Node sectorSize = segment["sector_size"];
        if (sectorSize.Number is not (512 or 1024 or 2048 or 4096))
        {
            throw sectorSize.Wrong("512, 1024, 2048 or 4096");
        }

        int sectorLength = (int)sectorSize.Number;
        Luks2Node size = segment["size"];
        long? length = null;
        if (size.Text != "dynamic")
        {
            length = size.LongNumber is > 0 and <= long.MaxValue && size.LongNumber % (ulong)sectorLength == 0
                ? (long)size.LongNumber
                : throw size.Wrong($"\"dynamic\", or a multiple of {sectorLength} above 0 and below 2^63");
        }

        // As dm-crypt demands. The upper half of the numbers would be left by a volume of any size.
        Luks2Node tweak = segment["iv_tweak"];
        if (tweak.LongNumber > long.MaxValue / 2 || tweak.LongNumber % (ulong)(sectorLength / SectorDecryptor.Unit) != 0)
        {
            throw tweak.Wrong($"a multiple of {sectorLength / SectorDecryptor.Unit} below 2^62");
        }

        var cipher = CipherSpec.Parse(segment["encryption"].Text, keyLength);
        return new LuksSegment(offset, length, (long)tweak.LongNumber, sectorLength, cipher);
    }
}
