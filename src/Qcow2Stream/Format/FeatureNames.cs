using System.Numerics;
using System.Text;

namespace Qcow2Stream.Format;

/// <summary>Names of feature bits: those of the specification, and those that an image brings in its feature name table.</summary>
internal static class FeatureNames
{
    // One entry: type (1 byte: 0 incompatible, 1 compatible, 2 autoclear), bit (1), name (46, zero-padded).
    private const int EntryLength = 48;
    private const int NameOffset = 2;
    private const byte Incompatible = 0;

    /// <summary>
    /// Names the lowest of the incompatible feature bits <paramref name="bits"/>, which must not be zero. A name
    /// that the image gives is untrusted text, and comes escaped.
    /// </summary>
    public static string DescribeIncompatible(ulong bits, IEnumerable<Qcow2HeaderExtension> extensions)
    {
        int bit = BitOperations.TrailingZeroCount(bits);
        foreach (Qcow2HeaderExtension extension in extensions)
        {
            if (extension.Type != HeaderExtensions.FeatureNameTable)
            {
                continue;
            }

            for (ReadOnlySpan<byte> rest = extension.Data.Span; rest.Length >= EntryLength; rest = rest[EntryLength..])
            {
                if (rest[0] == Incompatible && rest[1] == bit)
                {
                    ReadOnlySpan<byte> name = rest[NameOffset..EntryLength];
                    int end = name.IndexOf((byte)0);
                    string text = PrintableText.Escape(Encoding.UTF8.GetString(end < 0 ? name : name[..end]));
                    return text.Length > 0 ? $"{text} (incompatible feature bit {bit})" : $"incompatible feature bit {bit}";
                }
            }
        }

        return $"incompatible feature bit {bit}";
    }
}
