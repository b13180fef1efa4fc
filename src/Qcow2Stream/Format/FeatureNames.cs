using System.Numerics;
using System.Text;
using Shared;

namespace Qcow2Stream.Format;

/// <summary>Names of feature bits: those in an image's feature name table, and those of the specification.</summary>
internal static class FeatureNames
{
    public const byte Incompatible = 0;
    public const byte Compatible = 1;
    public const byte Autoclear = 2;

    // One entry: type (1 byte), bit (1), name (46, zero-padded).
    private const int EntryLength = 48;
    private const int NameOffset = 2;

    private static readonly Dictionary<(byte Type, int Bit), string> Known = new()
    {
        [(Incompatible, 0)] = "dirty bit",
        [(Incompatible, 1)] = "corrupt bit",
        [(Incompatible, 2)] = "external data file",
        [(Incompatible, 3)] = "compression type",
        [(Incompatible, 4)] = "extended L2 entries",
        [(Compatible, 0)] = "lazy refcounts",
        [(Autoclear, 0)] = "bitmaps",
        [(Autoclear, 1)] = "raw external data",
    };

    /// <summary>
    /// Names the lowest of the incompatible feature bits <paramref name="bits"/>, which must not be zero. A name
    /// that the image gives is untrusted text, and comes escaped.
    /// </summary>
    public static string DescribeIncompatible(ulong bits, IEnumerable<Qcow2HeaderExtension> extensions)
    {
        int bit = BitOperations.TrailingZeroCount(bits);
        return Find(Incompatible, bit, extensions) is { } name
            ? $"{name} (incompatible feature bit {bit})"
            : $"incompatible feature bit {bit}";
    }

    /// <summary>The name of a bit, escaped; null if it has no name.</summary>
    public static string? Find(byte type, int bit, IEnumerable<Qcow2HeaderExtension> extensions)
    {
        foreach (Qcow2HeaderExtension extension in extensions.Where(e => e.Type == HeaderExtensions.FeatureNameTable))
        {
            for (ReadOnlySpan<byte> rest = extension.Data.Span; rest.Length >= EntryLength; rest = rest[EntryLength..])
            {
                if (rest[0] == type && rest[1] == bit)
                {
                    ReadOnlySpan<byte> name = rest[NameOffset..EntryLength];
                    int end = name.IndexOf((byte)0);
                    string text = PrintableText.Escape(Encoding.UTF8.GetString(end < 0 ? name : name[..end]));
                    return text.Length > 0 ? text : null;
                }
            }
        }

        return Known.GetValueOrDefault((type, bit));
    }
}
