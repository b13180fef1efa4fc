using System.Buffers.Binary;

namespace Qcow2Stream.Format;

/// <summary>The list of header extensions, from the end of the header to the backing file name or the end of the first cluster.</summary>
internal static class HeaderExtensions
{
    public const uint End = 0;
    public const uint BackingFormat = 0xE279_2ACA;
    public const uint FeatureNameTable = 0x6803_F857;
    public const uint Bitmaps = 0x2385_2875;
    public const uint FullDiskEncryption = 0x0537_BE77;
    public const uint ExternalDataFile = 0x4441_5441;

    private const int Alignment = 8;
    private const int TypeAndLength = 8;

    /// <summary>What an extension is called in the specification.</summary>
    public static string NameOf(uint type) => type switch
    {
        BackingFormat => "backing file format name",
        FeatureNameTable => "feature name table",
        Bitmaps => "bitmaps",
        FullDiskEncryption => "full disk encryption header pointer",
        ExternalDataFile => "external data file name",
        _ => "unknown",
    };

    /// <summary>
    /// Parses the extensions between <paramref name="start"/> and <paramref name="end"/>, at most
    /// <paramref name="maxCount"/>; null if the list continues past the bytes given.
    /// </summary>
    public static List<Qcow2HeaderExtension>? Parse(ReadOnlySpan<byte> cluster, int start, int end, int maxCount, string? path)
    {
        List<Qcow2HeaderExtension> extensions = [];
        int position = start;
        while (end - position >= TypeAndLength)
        {
            if (cluster.Length - position < TypeAndLength)
            {
                return null;
            }

            uint type = BinaryPrimitives.ReadUInt32BigEndian(cluster[position..]);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(cluster[(position + sizeof(uint))..]);
            if (type == End)
            {
                break;
            }

            if (extensions.Count >= maxCount)
            {
                throw new Qcow2UnsupportedException(
                    "many header extensions", $"there are more header extensions than the {maxCount} that MaxHeaderExtensions allows", path, position)
                {
                    Hint = nameof(Qcow2OpenOptions.MaxHeaderExtensions),
                };
            }

            int data = position + TypeAndLength;
            if (length > end - data)
            {
                throw new Qcow2FormatException(
                    $"header extension 0x{type:x8} is {length} bytes long, but its area has only {end - data} left",
                    path,
                    hostOffset: position);
            }

            if (cluster.Length - data < length)
            {
                return null;
            }

            extensions.Add(new Qcow2HeaderExtension(type, data, cluster.Slice(data, (int)length).ToArray()));
            position = data + (int)((length + Alignment - 1) & ~(uint)(Alignment - 1));
        }

        return extensions;
    }
}
