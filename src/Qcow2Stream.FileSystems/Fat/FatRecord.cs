using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.FileSystems.Fat;

/// <summary>An entry of a directory: 32 bytes, a name of eight letters and three, and where the content is; or 13 letters of a long name.</summary>
/// <param name="bytes">Its bytes.</param>
internal readonly ref struct FatRecord(ReadOnlySpan<byte> bytes)
{
    public const int Length = 32;

    public const int LongNamePartLength = 13;

    private const int ShortNameLength = 11;
    private const int BaseLength = 8;
    private const byte Deleted = 0xE5;
    private const byte VolumeLabel = 0x08;
    private const byte Directory = 0x10;
    private const byte LongName = 0x0F;
    private const byte AttributeBits = 0x3F;

    // Names that would begin like a deleted one.
    private const byte InsteadOfDeleted = 0x05;

    private const byte LowerBase = 0x08;
    private const byte LowerExtension = 0x10;
    private const byte LastPart = 0x40;

    // Code page 437, from 0x80 on.
    private const string HighLetters =
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00A0";

    private readonly ReadOnlySpan<byte> _bytes = bytes[..Length];

    /// <summary>Whether no entry follows.</summary>
    public bool IsEnd => _bytes[0] == 0;

    public bool IsDeleted => _bytes[0] == Deleted;

    public bool IsLongName => (_bytes[11] & AttributeBits) == LongName;

    public bool IsLabel => !IsLongName && (_bytes[11] & VolumeLabel) != 0;

    public bool IsDirectory => (_bytes[11] & Directory) != 0;

    public uint FirstCluster => (uint)(Short(26) | (Short(20) << 16));

    public uint Size => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[28..]);

    /// <summary>Local time, to two seconds; what is no time is the first that there is.</summary>
    public DateTime Modified
    {
        get
        {
            (int date, int time) = (Short(24), Short(22));
            (int year, int month, int day) = (1980 + (date >> 9), (date >> 5) & 15, date & 31);
            bool isDate = month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month);
            DateTime start = isDate ? new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc) : new DateTime(1980, 1, 1, 0, 0, 0, DateTimeKind.Utc);
            return start.AddHours(time >> 11).AddMinutes((time >> 5) & 63).AddSeconds((time & 31) * 2);
        }
    }

    public string Label => Text(_bytes[..ShortNameLength], isLower: false).TrimEnd();

    /// <summary>The short name; Windows marks one whose letters are all small.</summary>
    public string ShortName
    {
        get
        {
            string name = Text(_bytes[..BaseLength], (_bytes[12] & LowerBase) != 0).TrimEnd(' ');
            string extension = Text(_bytes[BaseLength..ShortNameLength], (_bytes[12] & LowerExtension) != 0).TrimEnd(' ');
            return extension.Length == 0 ? name : $"{name}.{extension}";
        }
    }

    /// <summary>Which part of a long name it is, from 1; the parts come last first.</summary>
    public int PartNumber => _bytes[0] & ~LastPart;

    public bool IsLastPart => (_bytes[0] & LastPart) != 0;

    /// <summary>What the short name's <see cref="Checksum"/> must be, so that the long one belongs to it.</summary>
    public byte PartChecksum => _bytes[13];

    public byte Checksum
    {
        get
        {
            byte sum = 0;
            foreach (byte letter in _bytes[..ShortNameLength])
            {
                sum = (byte)(((sum & 1) << 7) + (sum >> 1) + letter);
            }

            return sum;
        }
    }

    /// <summary>The letters of a part of a long name.</summary>
    public void CopyPart(Span<char> letters)
    {
        ReadOnlySpan<byte> bytes = [.. _bytes.Slice(1, 10), .. _bytes.Slice(14, 12), .. _bytes.Slice(28, 4)];
        for (int i = 0; i < LongNamePartLength; i++)
        {
            letters[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(i * 2)..]);
        }
    }

    private static string Text(ReadOnlySpan<byte> letters, bool isLower)
    {
        StringBuilder text = new(letters.Length);
        for (int i = 0; i < letters.Length; i++)
        {
            byte letter = i == 0 && letters[i] == InsteadOfDeleted ? Deleted : letters[i];
            text.Append(letter >= 0x80 ? HighLetters[letter - 0x80] : (char)letter);
        }

        return isLower ? text.ToString().ToLowerInvariant() : text.ToString();
    }

    private int Short(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[offset..]);
}
